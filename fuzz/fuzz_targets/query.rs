//! Any request under our path is answered, whatever its query, its method and its headers are: with a new session where it asks
//! for one as it should, and otherwise with a refusal.
#![no_main]

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use rooms_layer::{Config, RoomsLayer};
use std::{convert::Infallible, sync::LazyLock};
use tokio::runtime::{Builder, Runtime};
use tower_layer::Layer;
use tower_service::Service;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::OPTIONS, Method::PUT];
const HEADERS: [&str; 6] = ["origin", "referer", "host", "upgrade", "connection", "content-type"];

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|&byte| byte == b'\n');
    let (Some(&[method, revision]), Some(query)) = (lines.next(), lines.next()) else {
        return;
    };
    let uri = [b"/socket.io/?".as_slice(), query].concat();
    let Ok(mut request) = Request::builder()
        .method(METHODS[usize::from(method % 4)].clone())
        .uri(&uri[..])
        .body(Full::new(Bytes::from_static(b"40")))
    else {
        return;
    };
    for (name, value) in HEADERS.into_iter().zip(lines) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    RUNTIME.block_on(async {
        // A server for each: what one opens is closed with it.
        let rooms = RoomsLayer::new().config(Config::default().allow_eio3(revision % 2 == 1));
        let mut service = rooms.clone().layer(Inner);
        let response = service.call(request).await.expect("the layer has no errors of its own");
        let status = response.status().as_u16();
        assert!([200, 400, 403, 426, 500, 501].contains(&status), "{status}");
        let opened = usize::from(status == 200);
        assert_eq!(rooms.connections(), opened, "a session is opened where it is said to be");
        let body = response.into_body().collect().await.expect("a body of ours").to_bytes();
        assert!(body.len() < 512, "what was asked is not said again");
        rooms.close();
    });
});

/// The application, which gets none of these requests.
#[derive(Clone)]
struct Inner;

impl<B> Service<Request<B>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        panic!("a request under our path was handed on");
    }
}
