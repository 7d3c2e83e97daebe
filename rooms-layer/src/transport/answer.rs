use super::{Exchange, ResponseBody, hooks};
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A request that is for us, on its way to its response.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops a handshake that is not decided, and ends the session whose request it is, as when the client goes away.
    pub(crate) struct Answer<B> {
        #[pin]
        kind: Kind<B>,
        // What the application adds to the response.
        headers: Option<Box<HeaderMap>>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        AtOnce { response: Option<Response<Bytes>> },
        Later { response: Pin<Box<dyn Future<Output = Response<Bytes>> + Send>> },
        Exchange { #[pin] exchange: Exchange<B> },
    }
}

impl<B> Answer<B> {
    pub(super) fn at_once(response: Response<Bytes>) -> Self {
        let response = Some(response);
        Self::new(Kind::AtOnce { response })
    }

    /// The answer to a handshake that the application takes its time to decide about.
    pub(super) fn later(response: impl Future<Output = Response<Bytes>> + Send + 'static) -> Self {
        let response = Box::pin(response);
        Self::new(Kind::Later { response })
    }

    pub(super) fn exchange(exchange: Exchange<B>) -> Self {
        Self::new(Kind::Exchange { exchange })
    }

    fn new(kind: Kind<B>) -> Self {
        Self {
            kind,
            headers: None,
        }
    }

    pub(super) fn with_headers(mut self, headers: Option<Box<HeaderMap>>) -> Self {
        self.headers = headers;
        self
    }
}

impl<B: Body> Future for Answer<B> {
    type Output = Response<Bytes>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Bytes>> {
        let this = self.project();
        let mut response = match this.kind.project() {
            KindProjection::AtOnce { response } => response
                .take()
                .expect("a future is not polled after it has resolved"),
            KindProjection::Later { response } => ready!(response.as_mut().poll(cx)),
            KindProjection::Exchange { exchange } => ready!(exchange.poll(cx)),
        };
        hooks::put(response.headers_mut(), this.headers.take());
        Poll::Ready(response)
    }
}

impl<B> fmt::Debug for Answer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

pin_project! {
    /// The response to a request, of the inner service or of the layer itself.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the inner service's own future. Of a client that polls, dropping the future ends the connection, since
    /// what it was about to carry is lost. A handshake that `allow_request` has not decided is given up.
    #[derive(Debug)]
    pub struct ResponseFuture<F, ReqBody> {
        #[pin]
        whose: Whose<F, ReqBody>,
    }
}

pin_project! {
    #[project = WhoseProjection]
    #[derive(Debug)]
    enum Whose<F, ReqBody> {
        Inner { #[pin] future: F },
        Ours { #[pin] answer: Answer<ReqBody> },
    }
}

impl<F, ReqBody> ResponseFuture<F, ReqBody> {
    pub(crate) fn inner(future: F) -> Self {
        Self {
            whose: Whose::Inner { future },
        }
    }

    pub(crate) fn ours(answer: Answer<ReqBody>) -> Self {
        Self {
            whose: Whose::Ours { answer },
        }
    }
}

impl<F, ReqBody, ResBody, E> Future for ResponseFuture<F, ReqBody>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    ReqBody: Body,
{
    type Output = Result<Response<ResponseBody<ResBody>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project().whose.project() {
            WhoseProjection::Inner { future } => ready!(future.poll(cx))?.map(ResponseBody::inner),
            WhoseProjection::Ours { answer } => ready!(answer.poll(cx)).map(ResponseBody::ours),
        }))
    }
}
