use super::{Floor, Handler};
use crate::transport::{ResponseBody, ResponseFuture, Server};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// The service that [`EngineLayer`](super::EngineLayer) makes of another one. Requests on the configured path are answered here;
/// all others reach the inner service untouched.
pub struct EngineService<S, H> {
    inner: S,
    server: Arc<Server<Floor<H>>>,
}

impl<S, H> EngineService<S, H> {
    pub(super) fn new(inner: S, server: Arc<Server<Floor<H>>>) -> Self {
        Self { inner, server }
    }
}

impl<S, H, ReqBody, ResBody> Service<Request<ReqBody>> for EngineService<S, H>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    H: Handler,
    ReqBody: Body,
    ResBody: Body,
    ResBody::Data: From<Bytes>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.server.serves(&request) {
            true => ResponseFuture::ours(self.server.answer(request)),
            false => ResponseFuture::inner(self.inner.call(request)),
        }
    }
}

impl<S: Clone, H> Clone for EngineService<S, H> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            server: self.server.clone(),
        }
    }
}

impl<S: fmt::Debug, H> fmt::Debug for EngineService<S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
