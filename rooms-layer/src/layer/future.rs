use super::ResponseBody;
use crate::transport::Exchange;
use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response to a request, of the inner service or of the layer itself.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the inner service's own future. Of a client that polls, dropping the future ends the connection, since
    /// what it was about to carry is lost.
    #[derive(Debug)]
    pub struct ResponseFuture<F, ReqBody, ResBody> {
        #[pin]
        kind: Kind<F, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<F, ReqBody, ResBody> {
        Inner { #[pin] future: F },
        Ours { response: Option<Response<ResponseBody<ResBody>>> },
        Exchange { #[pin] exchange: Exchange<ReqBody> },
    }
}

impl<F, ReqBody, ResBody> ResponseFuture<F, ReqBody, ResBody> {
    pub(super) fn inner(future: F) -> Self {
        Self {
            kind: Kind::Inner { future },
        }
    }

    pub(super) fn ours(response: Response<Bytes>) -> Self {
        let response = Some(response.map(ResponseBody::ours));
        Self {
            kind: Kind::Ours { response },
        }
    }

    pub(super) fn exchange(exchange: Exchange<ReqBody>) -> Self {
        Self {
            kind: Kind::Exchange { exchange },
        }
    }
}

impl<F, ReqBody, ResBody, E> Future for ResponseFuture<F, ReqBody, ResBody>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    ReqBody: Body,
{
    type Output = Result<Response<ResponseBody<ResBody>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project().kind.project() {
            KindProjection::Inner { future } => ready!(future.poll(cx))?.map(ResponseBody::inner),
            KindProjection::Exchange { exchange } => {
                ready!(exchange.poll(cx)).map(ResponseBody::ours)
            }
            KindProjection::Ours { response } => response
                .take()
                .expect("a future is not polled after it has resolved"),
        }))
    }
}
