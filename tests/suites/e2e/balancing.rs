//! Several servers behind a load balancer that does not send what belongs to a session to one of them.

use crate::connections::Log;
use rooms_layer::prelude::*;
use rooms_tests::server;

const PATH: &str = "/socket.io/?EIO=4&transport=polling";

/// How many requests may have been for another server.
fn elsewhere(rooms: &RoomsLayer) -> u64 {
    let refused = rooms.stats().refused;
    refused.get("session_elsewhere").copied().unwrap_or(0)
}

#[tokio::test]
async fn a_session_of_another_server_is_refused_and_the_log_says_what_is_wrong() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // The default of this thread, on which the whole test runs.
    let _guard = tracing::subscriber::set_default(subscriber);

    let (first, second) = (RoomsLayer::new(), RoomsLayer::new());
    let opened = crate::serve(first.clone()).await;
    let other = crate::serve(second.clone()).await;
    assert_eq!(elsewhere(&second), 0);

    let open = server::request(opened, &format!("GET {PATH}"), "").await;
    let sid = open.split('"').nth(3).expect("an open packet");
    for (number, method) in (1..).zip(["GET", "POST", "GET"]) {
        let answer = server::request(other, &format!("{method} {PATH}&sid={sid}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(
            answer.ends_with(r#"{"code":1,"message":"Session ID unknown"}"#),
            "{answer}"
        );
        assert_eq!(elsewhere(&second), number);
    }
    assert_eq!(elsewhere(&first), 0);

    let text = log.text();
    let warnings = text.matches("is the load balancer sticky?").count();
    assert_eq!(warnings, 1, "{text}");
    assert!(!text.contains(sid), "a session id is a secret: {text}");
}

#[tokio::test]
async fn a_session_that_has_ended_here_is_not_blamed_on_the_load_balancer() {
    let rooms = RoomsLayer::new();
    let address = crate::serve(rooms.clone()).await;
    let open = server::request(address, &format!("GET {PATH}"), "").await;
    let sid = open.split('"').nth(3).expect("an open packet");

    // A client that closes, and asks once more.
    let closed = server::request(address, &format!("POST {PATH}&sid={sid}"), "1").await;
    assert!(closed.starts_with("HTTP/1.1 200"), "{closed}");
    let answer = server::request(address, &format!("GET {PATH}&sid={sid}"), "").await;
    assert!(answer.contains(r#""code":1"#), "{answer}");
    assert_eq!(elsewhere(&rooms), 0);
}

#[tokio::test]
async fn what_no_server_has_made_is_not_blamed_on_the_load_balancer() {
    let rooms = RoomsLayer::new();
    let address = crate::serve(rooms.clone()).await;
    for sid in ["", "x", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA%3D"] {
        let answer = server::request(address, &format!("GET {PATH}&sid={sid}"), "").await;
        assert!(answer.contains(r#""code":1"#), "{answer}");
    }
    assert_eq!(elsewhere(&rooms), 0);
}
