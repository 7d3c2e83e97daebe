use super::Server;
use crate::{
    api::Handle,
    transport::{ResponseBody, ResponseFuture},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// The service that [`RoomsLayer`](super::RoomsLayer) makes of another one.
///
/// Requests on the configured path are answered here. All others reach the inner service untouched but for one extension,
/// the handle from which [`Io`](crate::Io) is taken.
#[derive(Clone)]
pub struct RoomsService<S> {
    inner: S,
    server: Arc<Server>,
    /// What other requests carry to their handlers.
    handle: Handle,
}

impl<S> RoomsService<S> {
    pub(super) fn new(inner: S, server: Arc<Server>, handle: Handle) -> Self {
        Self {
            inner,
            server,
            handle,
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RoomsService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if self.server.serves(&request) {
            return ResponseFuture::ours(self.server.answer(request));
        }
        request.extensions_mut().insert(self.handle.clone());
        ResponseFuture::inner(self.inner.call(request))
    }
}

impl<S: fmt::Debug> fmt::Debug for RoomsService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomsService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
