use super::Refused;
use crate::engine::{self, Get, Post, Rejected, Session};
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
    pub(super) struct Exchange<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Get { #[pin] get: Get },
        Post { post: Option<Post>, #[pin] body: B, is_bytes: bool, read: Option<Vec<u8>> },
        Refused { refused: Rejected },
    }
}

impl<B: Body> Exchange<B> {
    /// A GET, answered when there is something to send.
    pub(super) fn get(session: Session) -> Self {
        let kind = match session.get() {
            Ok(get) => Kind::Get { get },
            Err(refused) => Kind::Refused { refused },
        };
        Self { kind }
    }

    /// A POST, answered when its packets are handed up.
    pub(super) fn post(session: Session, headers: &HeaderMap, body: B) -> Self {
        let is_bytes = is_bytes(headers);
        let kind = match session.post() {
            Ok(post) => Kind::Post {
                // What is dropped here ends the session.
                post: Some(post).filter(|post| !is_bytes || post.takes_bytes()),
                body,
                is_bytes,
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
            KindProjection::Post {
                post,
                body,
                is_bytes,
                read,
            } => {
                let status = match post {
                    Some(open) => ready!(poll_post(open, body, *is_bytes, read, cx)),
                    None => StatusCode::BAD_REQUEST,
                };
                // What was too long or too much is no longer held when its client reads so.
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
pub(super) fn packets(body: engine::Body) -> Response<Bytes> {
    respond(StatusCode::OK, body.content_type, body.bytes)
}

/// Reads the body, and waits until its packets are handed up. `read` is `None` once they are left to the connection.
fn poll_post<B: Body>(
    post: &mut Post,
    mut body: Pin<&mut B>,
    is_bytes: bool,
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
                post.hand_in(std::mem::take(so_far), is_bytes);
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
                // Ends the session, and with it what it holds.
                if post.hold(so_far.len()).is_err() {
                    return Poll::Ready(StatusCode::SERVICE_UNAVAILABLE);
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

/// Whether a body is stated to be bytes; any other type, and none, is read as text.
fn is_bytes(headers: &HeaderMap) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Engine, EngineConfig, Form, Held, Inbound, Message},
        session::{CloseCause, DisconnectReason},
    };
    use futures_util::{StreamExt, stream};
    use http_body::Frame;
    use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
    use std::{
        cell::Cell,
        rc::Rc,
        sync::{Arc, Mutex},
    };
    use tokio::task::JoinHandle;

    type Seen = Arc<Mutex<(Vec<String>, Option<DisconnectReason>)>>;

    struct Listener(Seen);

    impl Inbound for Listener {
        fn message(&mut self, message: Message<'_>, _: &mut Context<'_>) -> Result<(), CloseCause> {
            let message = format!("{message:?}");
            self.0.lock().unwrap().0.push(message);
            Ok(())
        }

        fn is_ready(&self) -> bool {
            true
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }

        fn closed(&mut self, reason: DisconnectReason, _: &mut Context<'_>) {
            self.0.lock().unwrap().1 = Some(reason);
        }
    }

    struct Rig {
        engine: Arc<Engine>,
        sid: String,
        seen: Seen,
        task: JoinHandle<()>,
    }

    fn rig() -> Rig {
        rig_of(Form::V4)
    }

    fn rig_of(form: Form) -> Rig {
        let engine = Arc::new(Engine::new());
        let mut config = EngineConfig {
            connect_timeout: std::time::Duration::MAX,
            ..EngineConfig::default()
        };
        config.limits.max_payload = 10;
        assert!(engine.configure(config));
        let seen = Seen::default();
        let (connection, open) =
            engine.connect_polling(engine.reserve(), form, &[], |_| Listener(seen.clone()));
        let open = str::from_utf8(&open.bytes).expect("text").replace('\\', "");
        let (_, sid) = open.split_once(r#""sid":""#).expect("an open packet");
        let sid = sid.split_once('"').expect("an id").0.to_owned();
        let task = tokio::spawn(connection);
        Rig {
            engine,
            sid,
            seen,
            task,
        }
    }

    impl Rig {
        fn session(&self) -> Session {
            self.engine.session(&self.sid).expect("an open session")
        }

        fn post<B: Body>(&self, content: Option<&'static str>, body: B) -> Exchange<B> {
            let content = content.map(HeaderValue::from_static);
            let headers = content.map(|content| (header::CONTENT_TYPE, content));
            Exchange::post(self.session(), &HeaderMap::from_iter(headers), body)
        }

        fn messages(&self) -> Vec<String> {
            self.seen.lock().unwrap().0.clone()
        }

        async fn ended(self, reason: DisconnectReason) {
            self.task.await.unwrap();
            assert_eq!(self.seen.lock().unwrap().1, Some(reason));
        }
    }

    fn check(response: &Response<Bytes>, status: u16, content: Option<&str>, body: &str) {
        assert_eq!(response.status(), status);
        assert_eq!(response.body(), body);
        let headers = response.headers();
        let stated = headers.get(header::CONTENT_TYPE);
        assert_eq!(stated.map(|stated| stated.to_str().unwrap()), content);
        let is_kept_out_of_caches =
            headers.get(header::CACHE_CONTROL) == Some(&HeaderValue::from_static("no-store"));
        assert_eq!(is_kept_out_of_caches, status == 200);
    }

    /// A body in chunks, with no length told.
    fn chunks(chunks: &[&'static str]) -> UnsyncBoxBody<Bytes, &'static str> {
        let frames: Vec<_> = chunks
            .iter()
            .map(|chunk| match *chunk {
                "torn" => Err("torn"),
                chunk => Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))),
            })
            .collect();
        StreamBody::new(stream::iter(frames)).boxed_unsync()
    }

    #[tokio::test]
    async fn requests_are_answered_as_clients_expect() {
        let rig = rig();
        let get = Exchange::<Full<Bytes>>::get(rig.session());
        let engine = rig.engine.clone();
        check(
            &rig.post(None, chunks(&["4a"])).await,
            200,
            Some("text/html"),
            "ok",
        );
        for content in [
            "text/plain;charset=UTF-8",
            "application/octet-stream; charset=x",
            "x",
        ] {
            let response = rig
                .post(Some(content), chunks(&["4", "", "b\x1e4", "c"]))
                .await;
            check(&response, 200, Some("text/html"), "ok");
        }
        assert_eq!(rig.messages().len(), 7);
        assert_eq!(
            rig.messages()[..3],
            [r#"Text("a")"#, r#"Text("b")"#, r#"Text("c")"#]
        );
        engine.close(CloseCause::ShuttingDown);
        check(&get.await, 200, Some("text/plain; charset=UTF-8"), "1");
        rig.ended(DisconnectReason::ServerShuttingDown).await;
    }

    #[tokio::test]
    async fn sessions_of_revision_3_are_posted_bytes() {
        for form in [Form::V3, Form::V3Text] {
            let rig = rig_of(form);
            let bytes = Full::new(Bytes::from_static(b"\x01\x03\xff\x04\x01\x02"));
            let content = Some("application/octet-stream");
            check(
                &rig.post(content, bytes).await,
                200,
                Some("text/html"),
                "ok",
            );
            check(
                &rig.post(Some("text/plain;charset=UTF-8"), chunks(&["2:", "4a"]))
                    .await,
                200,
                Some("text/html"),
                "ok",
            );
            assert_eq!(rig.messages(), ["Binary([1, 2])", r#"Text("a")"#]);
            let get = Exchange::<Full<Bytes>>::get(rig.session());
            rig.engine.close(CloseCause::ShuttingDown);
            check(&get.await, 200, Some("text/plain; charset=UTF-8"), "1:1");
        }
        let rig = rig_of(Form::V3Jsonp(7));
        let content = Some("application/x-www-form-urlencoded");
        let body = chunks(&["d=2%3", "A4a"]);
        check(&rig.post(content, body).await, 200, Some("text/html"), "ok");
        assert_eq!(rig.messages(), [r#"Text("a")"#]);
        let get = Exchange::<Full<Bytes>>::get(rig.session());
        let bytes = rig.post(Some("application/octet-stream"), chunks(&["d=2:4a"]));
        check(&bytes.await, 400, None, "");
        let script = Some("text/javascript; charset=UTF-8");
        check(&get.await, 200, script, r#"___eio[7]("1:1");"#);
        rig.ended(DisconnectReason::TransportError).await;
    }

    #[tokio::test]
    async fn a_body_too_long_is_refused_and_the_session_stays() {
        let rig = rig();
        let told = Full::new(Bytes::from_static(b"4a234567890"));
        check(&rig.post(None, told).await, 413, None, "");
        check(
            &rig.post(None, chunks(&["4a2345", "67890"])).await,
            413,
            None,
            "",
        );
        let full = Full::new(Bytes::from_static(b"4a23456789"));
        check(&rig.post(None, full).await, 200, Some("text/html"), "ok");
        check(
            &rig.post(None, chunks(&["4a2345", "6789"])).await,
            200,
            Some("text/html"),
            "ok",
        );
        assert_eq!(rig.messages().len(), 2);
    }

    #[tokio::test]
    async fn no_more_is_read_of_a_body_than_is_taken() {
        let rig = rig();
        let read = Rc::new(Cell::new(0));
        let frames = {
            let read = read.clone();
            stream::iter(0..).map(move |_| {
                read.set(read.get() + 1);
                Ok::<_, ()>(Frame::data(Bytes::from_static(b"4 ")))
            })
        };
        check(
            &rig.post(None, StreamBody::new(frames)).await,
            413,
            None,
            "",
        );
        assert_eq!(read.get(), 6);
    }

    #[tokio::test]
    async fn a_body_is_too_much_where_others_have_enough_held() {
        let rig = rig();
        let mut others = Held::new(rig.engine.clone());
        let all_but_three = EngineConfig::default().max_held_bytes - 3;
        others.set(all_but_three).expect("it is not too much");
        check(
            &rig.post(None, chunks(&["4a"])).await,
            200,
            Some("text/html"),
            "ok",
        );
        check(&rig.post(None, chunks(&["4a", "bc"])).await, 503, None, "");
        assert_eq!(rig.engine.held(), all_but_three);
        assert_eq!(rig.messages().len(), 1);
        rig.ended(DisconnectReason::TransportError).await;
    }

    #[tokio::test]
    async fn bodies_that_will_not_do_end_the_session() {
        for (content, body, reason) in [
            (
                Some("application/octet-stream"),
                &["4a"],
                DisconnectReason::TransportError,
            ),
            (None, &["torn"], DisconnectReason::TransportError),
            (None, &[""], DisconnectReason::ParseError),
            (None, &["abc"], DisconnectReason::ParseError),
        ] {
            let rig = rig();
            let get = Exchange::<Full<Bytes>>::get(rig.session());
            check(&rig.post(content, chunks(body)).await, 400, None, "");
            check(&get.await, 200, Some("text/plain; charset=UTF-8"), "1");
            assert!(rig.messages().is_empty());
            rig.ended(reason).await;
        }
    }

    #[tokio::test]
    async fn overlapping_requests_end_the_session() {
        let gets = rig();
        let first = Exchange::<Full<Bytes>>::get(gets.session());
        let second = Exchange::<Full<Bytes>>::get(gets.session());
        check(&second.await, 400, None, "");
        check(&first.await, 200, Some("text/plain; charset=UTF-8"), "1");
        gets.ended(DisconnectReason::TransportError).await;

        let posts = rig();
        let get = Exchange::<Full<Bytes>>::get(posts.session());
        let first = posts.post(
            None,
            StreamBody::new(stream::pending::<Result<Frame<Bytes>, ()>>()),
        );
        let second = posts.post(None, chunks(&["4a"]));
        check(&second.await, 400, None, "");
        check(&first.await, 400, None, "");
        check(&get.await, 200, Some("text/plain; charset=UTF-8"), "1");
        posts.ended(DisconnectReason::TransportError).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_ends_with_the_heartbeat() {
        let rig = rig();
        let endless = StreamBody::new(stream::pending::<Result<Frame<Bytes>, ()>>());
        check(&rig.post(None, endless).await, 400, None, "");
        rig.ended(DisconnectReason::PingTimeout).await;
    }
}
