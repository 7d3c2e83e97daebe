use super::Refused;
use crate::engine::{Get, Post, Rejected, Session};
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A request of a session that polls, on its way to its response.
    ///
    /// # Cancel safety
    ///
    /// Dropping it before it has resolved ends the session, as when the client goes away.
    pub(crate) struct Exchange<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Get { #[pin] get: Get },
        Post { post: Option<Post>, #[pin] body: B, read: Option<Vec<u8>> },
        Refused { refused: Rejected },
    }
}

impl<B: Body> Exchange<B> {
    /// A GET, answered when there is something to send.
    pub(crate) fn get(session: Session) -> Self {
        let kind = match session.get() {
            Ok(get) => Kind::Get { get },
            Err(refused) => Kind::Refused { refused },
        };
        Self { kind }
    }

    /// A POST, answered when its packets are handed up.
    pub(crate) fn post(session: Session, headers: &HeaderMap, body: B) -> Self {
        let kind = match session.post() {
            Ok(post) => Kind::Post {
                // A body of bytes is one of revision 3. What is dropped here ends the session.
                post: Some(post).filter(|_| !is_binary(headers)),
                body,
                read: Some(Vec::new()),
            },
            Err(refused) => Kind::Refused { refused },
        };
        Self { kind }
    }
}

impl<B: Body> Future for Exchange<B> {
    type Output = Response<Bytes>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Bytes>> {
        match self.project().kind.project() {
            KindProjection::Get { get } => get.poll(cx).map(packets),
            KindProjection::Refused { refused } => Poll::Ready(rejected(*refused)),
            KindProjection::Post { post, body, read } => {
                let status = match post {
                    Some(open) => ready!(poll_post(open, body, read, cx)),
                    None => StatusCode::BAD_REQUEST,
                };
                if let (StatusCode::PAYLOAD_TOO_LARGE, Some(post)) = (status, post.take()) {
                    post.forgo();
                }
                Poll::Ready(pushed(status))
            }
        }
    }
}

impl<B> fmt::Debug for Exchange<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// The response that brings packets: the first one of a session, and that of every GET.
pub(crate) fn packets(packets: String) -> Response<Bytes> {
    respond(StatusCode::OK, "text/plain; charset=UTF-8", packets.into())
}

/// Reads the body, and waits until its packets are handed up. `read` is `None` once they are left to the connection.
fn poll_post<B: Body>(
    post: &Post,
    mut body: Pin<&mut B>,
    read: &mut Option<Vec<u8>>,
    cx: &mut Context<'_>,
) -> Poll<StatusCode> {
    while let Some(so_far) = read {
        let room = post.max_length() - so_far.len();
        // The length that is told is believed where it is too much, and reserves nothing.
        if body.size_hint().lower() > room as u64 {
            return Poll::Ready(StatusCode::PAYLOAD_TOO_LARGE);
        }
        match body.as_mut().poll_frame(cx) {
            Poll::Pending => break,
            Poll::Ready(None) => {
                post.hand_in(std::mem::take(so_far));
                *read = None;
            }
            // The client is gone, or it may as well be.
            Poll::Ready(Some(Err(_))) => return Poll::Ready(StatusCode::BAD_REQUEST),
            Poll::Ready(Some(Ok(frame))) => {
                let Ok(mut data) = frame.into_data() else {
                    continue;
                };
                if data.remaining() > room {
                    return Poll::Ready(StatusCode::PAYLOAD_TOO_LARGE);
                }
                while data.has_remaining() {
                    let chunk = data.chunk();
                    so_far.extend_from_slice(chunk);
                    let length = chunk.len();
                    data.advance(length);
                }
            }
        }
    }
    // Also while the body is on its way: the session may end before it is here.
    post.poll_taken(cx).map(|taken| match taken {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    })
}

fn is_binary(headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE);
    content.is_some_and(|content| content == "application/octet-stream")
}

fn pushed(status: StatusCode) -> Response<Bytes> {
    match status {
        StatusCode::OK => respond(status, "text/html", Bytes::from_static(b"ok")),
        _ => silent(status),
    }
}

fn rejected(rejected: Rejected) -> Response<Bytes> {
    match rejected {
        Rejected::Overlap => silent(StatusCode::BAD_REQUEST),
        Rejected::Changed => Refused::OtherTransport.response(),
    }
}

fn silent(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn respond(status: StatusCode, content: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    // What is sent once must not be sent again out of a cache.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
