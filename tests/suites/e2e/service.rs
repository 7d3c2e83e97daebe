//! The layer as a tower service among others: what is not ours passes through as if there were no layer.

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body, Frame},
    header::CONTENT_TYPE,
};
use rooms_layer::{Config, Handle, prelude::*};
use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    marker::PhantomPinned,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};
use tower::{Layer, Service, ServiceExt, service_fn};

#[tokio::test]
async fn requests_of_others_pass_through_untouched() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u32);
    /// Neither `Clone` nor `Unpin`, and with an error of its own: of a request's body the layer asks only that it is one.
    struct Upload(String, PhantomPinned);

    impl Body for Upload {
        type Data = Bytes;
        type Error = Rc<str>;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Rc<str>>>> {
            Poll::Ready(None)
        }
    }

    let inner = service_fn(async |request: Request<Upload>| {
        assert_eq!(request.method(), "PUT");
        assert_eq!(request.uri(), "/files/1?x=y");
        assert_eq!(request.headers()["x-mark"], "1");
        assert_eq!(request.extensions().get(), Some(&Mark(1)));
        assert!(request.extensions().get::<Handle>().is_some());
        let mut response = Response::new(Full::new(Bytes::from(request.into_body().0)));
        *response.status_mut() = StatusCode::CREATED;
        response
            .headers_mut()
            .insert("x-mark", "2".parse().expect("a value"));
        response.extensions_mut().insert(Mark(2));
        Ok::<_, Infallible>(response)
    });
    let service = RoomsLayer::new().layer(inner);
    let request = Request::put("/files/1?x=y")
        .header("x-mark", "1")
        .extension(Mark(1))
        .body(Upload("content".into(), PhantomPinned))
        .expect("a request");

    let Ok(response) = service.oneshot(request).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(response.headers()["x-mark"], "2");
    assert_eq!(response.extensions().get(), Some(&Mark(2)));
    assert_eq!(response.body().size_hint().exact(), Some(7));
    let body = response.into_body().collect().await.expect("a whole body");
    assert_eq!(body.to_bytes(), "content");
}

#[tokio::test]
async fn only_what_begins_with_the_path_is_ours() {
    let live = Config::default().path("/live");
    for (config, path, ours) in [
        (Config::default(), "/", false),
        (Config::default(), "/socket.io", false),
        (Config::default(), "/socket.iox/", false),
        (Config::default(), "/api/socket.io/", false),
        (Config::default(), "/socket.io/", true),
        (Config::default(), "/socket.io/?EIO=4", true),
        (Config::default(), "/socket.io/anything", true),
        (live.clone(), "/socket.io/", false),
        (live, "/live/", true),
    ] {
        let calls = Rc::new(Cell::new(0));
        let counted = calls.clone();
        let inner = service_fn(move |_: Request<Empty<Bytes>>| {
            counted.set(counted.get() + 1);
            ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        });
        let request = Request::get(path).body(Empty::new()).expect("a request");
        let service = RoomsLayer::new().config(config).layer(inner);
        let Ok(response) = service.oneshot(request).await;
        assert_eq!(calls.get() == 0, ours, "{path}");
        let expected = if ours {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        assert_eq!(response.status(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_handshake_that_will_not_do_is_answered_as_socket_io_does() {
    for (target, code, message) in [
        ("/socket.io/", 0, "Transport unknown"),
        (
            "/socket.io/?EIO=4&transport=telepathy",
            0,
            "Transport unknown",
        ),
        (
            "/socket.io/?EIO=4&transport=websocket&sid=x",
            1,
            "Session ID unknown",
        ),
        (
            "/socket.io/?EIO=4&transport=polling&sid=x",
            1,
            "Session ID unknown",
        ),
        (
            "/socket.io/?EIO=3&transport=polling",
            5,
            "Unsupported protocol version",
        ),
        ("/socket.io/?EIO=4&transport=websocket", 3, "Bad request"),
    ] {
        let inner = service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let request = Request::get(target).body(Empty::new()).expect("a request");
        let Ok(response) = RoomsLayer::new().layer(inner).oneshot(request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{target}");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "application/json",
            "{target}"
        );
        let body = response.into_body().collect().await.expect("a whole body");
        let expected = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        assert_eq!(body.to_bytes(), expected, "{target}");
    }
}

/// A service that is ready when it is told to be, and counts what is asked of it.
#[derive(Clone, Default)]
struct Moody {
    state: Rc<Cell<State>>,
    calls: Rc<Cell<u32>>,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Busy,
    Ready,
    Broken,
}

/// An error that is nobody's but the inner service's.
#[derive(Debug, PartialEq)]
struct Broken(&'static str);

impl Service<Request<Empty<Bytes>>> for Moody {
    type Response = Response<Full<Bytes>>;
    type Error = Broken;
    type Future = Ready<Result<Self::Response, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        match self.state.get() {
            State::Busy => Poll::Pending,
            State::Ready => Poll::Ready(Ok(())),
            State::Broken => Poll::Ready(Err(Broken("not ready"))),
        }
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
        self.calls.set(self.calls.get() + 1);
        ready(Err(Broken("called")))
    }
}

#[tokio::test]
async fn readiness_and_errors_are_those_of_the_inner_service() {
    let inner = Moody::default();
    let mut service = RoomsLayer::new().layer(inner.clone());
    let mut cx = Context::from_waker(Waker::noop());
    for (state, expected) in [
        (State::Busy, Poll::Pending),
        (State::Ready, Poll::Ready(Ok(()))),
        (State::Broken, Poll::Ready(Err(Broken("not ready")))),
        (State::Ready, Poll::Ready(Ok(()))),
    ] {
        inner.state.set(state);
        assert_eq!(service.poll_ready(&mut cx), expected);
    }
    assert_eq!(inner.calls.get(), 0, "to be ready is not to be called");
    let error = service.call(Request::new(Empty::new())).await.map(|_| ());
    assert_eq!(error, Err(Broken("called")));
    assert_eq!(inner.calls.get(), 1);
}

/// A chunk that is not `Bytes`: all that the layer asks is that it can be made of them.
#[derive(Debug)]
struct Chunk(Bytes);

impl From<Bytes> for Chunk {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        self.0.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.0.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }
}

#[tokio::test]
async fn bodies_of_any_kind_keep_their_frames() {
    let inner = service_fn(async |_: Request<String>| {
        let trailers = HeaderMap::from_iter([(
            "x-sum".parse().expect("a name"),
            "3".parse().expect("a value"),
        )]);
        let frames = [
            Ok(Frame::data(Chunk(Bytes::from_static(b"one")))),
            Ok(Frame::data(Chunk(Bytes::from_static(b"two")))),
            Ok(Frame::trailers(trailers)),
            Err("torn"),
        ];
        let body = StreamBody::new(futures_util::stream::iter(frames));
        Ok::<_, Infallible>(Response::new(body))
    });
    let mut service = RoomsLayer::new().layer(inner);

    let Ok(response) = service.call(Request::new("any body".to_owned())).await;
    let mut body = response.into_body();
    for expected in ["one", "two"] {
        let frame = body.frame().await.expect("a frame").expect("no error yet");
        assert_eq!(frame.into_data().expect("data").0, expected);
    }
    let frame = body.frame().await.expect("a frame").expect("no error yet");
    assert_eq!(frame.into_trailers().expect("trailers")["x-sum"], "3");
    assert_eq!(body.frame().await.expect("a frame").err(), Some("torn"));
    assert!(body.frame().await.is_none());

    let ours = Request::get("/socket.io/")
        .body("any body".to_owned())
        .expect("a request");
    let Ok(response) = service.call(ours).await;
    let body = response
        .into_body()
        .collect()
        .await
        .expect("our own body has no error");
    assert!(body.to_bytes().starts_with(b"{\"code\":0,"));
}

#[tokio::test]
async fn the_handle_of_a_request_leads_to_the_namespaces_of_its_layer() {
    #[derive(Namespace)]
    #[namespace(path = "/admin", open)]
    struct Admin;

    let inner = service_fn(async |request: Request<Empty<Bytes>>| {
        let main = Io::<Main>::from_extensions(request.extensions()).map(|_| ());
        let admin = Io::<Admin>::from_extensions(request.extensions()).map(|_| ());
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(format!(
            "{} {}",
            main.is_ok(),
            admin
                .map_err(|error| error.to_string())
                .expect_err("it is not mounted"),
        ))))
    });
    let Ok(response) = RoomsLayer::new()
        .layer(inner)
        .oneshot(Request::new(Empty::new()))
        .await;
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a whole body")
        .to_bytes();
    let body = String::from_utf8_lossy(&body);
    assert!(body.starts_with("true namespace "), "{body}");
    assert!(
        body.contains("`/admin`") && body.contains("not mounted"),
        "{body}"
    );

    let outside = Io::<Main>::from_extensions(Request::new(()).extensions());
    let error = outside.expect_err("no layer was here").to_string();
    assert!(error.contains("RoomsLayer"), "{error}");
}
