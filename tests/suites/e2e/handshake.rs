//! What the application has to say about handshakes.

use crate::serve;
use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue, SET_COOKIE},
};
use rooms_layer::{Config, HandshakeCookie, HandshakeInfo, HttpConfig, Refusal, prelude::*};
use rooms_tests::{
    client::Client,
    server::{self, UPGRADE},
};
use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

fn layer(change: impl FnOnce(HttpConfig) -> HttpConfig) -> RoomsLayer {
    RoomsLayer::new().config(Config::default().http(change))
}

#[tokio::test]
async fn a_handshake_is_refused_in_the_words_of_the_application() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let rooms = layer(move |http| {
        http.allow_request(move |head| {
            counter.fetch_add(1, Ordering::Relaxed);
            let allowed = head.headers.get("x-key").is_some_and(|key| key == "1");
            ready(match allowed {
                true => Ok(()),
                false => Err(Refusal::new("bring the \"key\"")),
            })
        })
    });
    let address = serve(rooms).await;

    let refused = r#"{"code":4,"message":"bring the \"key\""}"#;
    let answer = server::get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(server::body(&answer), refused);
    let request =
        format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{UPGRADE}connection: close\r\n\r\n");
    let answer = server::exchange(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(server::body(&answer), refused);
    assert_eq!(asked.load(Ordering::Relaxed), 2);

    let answer = server::get(address, POLLING, "x-key: 1\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // Whoever is in is not asked about again, by whatever transport, and neither is what would be refused anyway.
    let session = format!("{POLLING}&sid={}", server::sid(server::body(&answer)));
    let posted = server::request(address, &format!("POST {session}"), "40").await;
    assert!(posted.ends_with("ok"), "{posted}");
    let polled = server::get(address, &session, "").await;
    assert!(server::body(&polled).starts_with("40{"), "{polled}");
    let (head, _stream) = server::upgrade(address, &session.replace("polling", "websocket")).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let unknown = server::get(address, "/socket.io/?EIO=3&transport=polling", "").await;
    assert!(server::body(&unknown).contains("\"code\":5"), "{unknown}");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// A tower layer around ours has found out who it is: the decision and, if it is to be kept, the socket see it.
#[tokio::test]
async fn extensions_are_there_for_the_decision_and_kept_by_either_transport() {
    #[derive(Clone)]
    struct User(&'static str);

    let (sender, mut seen) = mpsc::unbounded_channel();
    let main = Main::serve(()).on_connect(move |socket: Socket<Main>| {
        let handshake: &HandshakeInfo = socket.handshake();
        sender
            .send(handshake.extension::<User>().map(|user| user.0))
            .ok();
        ready(())
    });
    let config = Config::default().keep_extension::<User>().http(|http| {
        http.allow_request(|head| {
            let user = head.extensions.get::<User>().cloned();
            async move {
                tokio::task::yield_now().await;
                user.map(|_| ()).ok_or_else(Refusal::default)
            }
        })
    });
    let rooms = RoomsLayer::new().config(config).namespace(main);
    let app = axum::Router::new()
        .layer(rooms)
        .layer(axum::Extension(User("anna")));
    let address = server::serve(app).await;

    let open = server::get(address, POLLING, "").await;
    let session = format!("POST {POLLING}&sid={}", server::sid(server::body(&open)));
    server::request(address, &session, "40").await;
    assert_eq!(seen.recv().await, Some(Some("anna")));
    let _client = Client::connect(address).await;
    assert_eq!(seen.recv().await, Some(Some("anna")));
}

#[tokio::test]
async fn ids_are_the_applications_to_make() {
    let rooms = layer(|http| {
        http.generate_id(|head| {
            let id = head.headers.get("x-id").expect("the tests send one");
            id.to_str().expect("a text").to_owned()
        })
    });
    let address = serve(rooms.clone()).await;
    let open = server::get(address, POLLING, "x-id: anna.1\r\n").await;
    assert!(
        server::body(&open).starts_with(r#"0{"sid":"anna.1","#),
        "{open}"
    );
    let session = format!("{POLLING}&sid=anna.1");
    let posted = server::request(address, &format!("POST {session}"), "40").await;
    assert!(posted.ends_with("ok"), "{posted}");

    let long = "x".repeat(129);
    let bad_request = r#"{"code":3,"message":"Bad request"}"#;
    for id in ["anna.1", "", "a b", "a/b", &long] {
        let answer = server::get(address, POLLING, &format!("x-id: {id}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{id:?}: {answer}");
        assert_eq!(server::body(&answer), bad_request, "{id:?}");
        let upgrade = format!("{UPGRADE}x-id: {id}\r\nconnection: close\r\n");
        let request = format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{upgrade}\r\n");
        let answer = server::exchange(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{id:?}: {answer}");
        assert_eq!(server::body(&answer), bad_request, "{id:?}");
    }
    assert_eq!(rooms.connections(), 1);

    // The first one's session is untouched.
    let polled = server::get(address, &session, "").await;
    assert!(server::body(&polled).starts_with("40{"), "{polled}");
    let posted = server::request(address, &format!("POST {session}"), "1").await;
    assert!(posted.ends_with("ok"), "{posted}");
    // And now the id is free.
    let open = timeout(Duration::from_secs(20), async {
        loop {
            let open = server::get(address, POLLING, "x-id: anna.1\r\n").await;
            if open.starts_with("HTTP/1.1 200 ") {
                return open;
            }
        }
    });
    assert_eq!(
        server::sid(server::body(
            &open.await.expect("the id of a session that is over")
        )),
        "anna.1"
    );
}

#[tokio::test]
async fn headers_are_added_to_the_first_answer_and_to_all() {
    fn mark(name: &'static str) -> impl Fn(&http::request::Parts, &mut HeaderMap) {
        move |head, headers| {
            let value = head.uri.path_and_query().expect("a target").as_str().len();
            headers.append(SET_COOKIE, HeaderValue::from_static("mine=1"));
            headers.insert(HeaderName::from_static(name), value.into());
        }
    }
    let rooms = layer(|http| {
        http.initial_headers(mark("x-first"))
            .headers(mark("x-every"))
            .cookie(HandshakeCookie::default())
    });
    let address = serve(rooms).await;
    let has = |answer: &str, name: &str, target: &str| {
        let length = target.len();
        answer.contains(&format!("{name}: {length}\r\n"))
    };

    let open = server::get(address, POLLING, "").await;
    assert!(has(&open, "x-first", POLLING), "{open}");
    assert!(has(&open, "x-every", POLLING), "{open}");
    let sid = server::sid(server::body(&open));
    let cookie = format!("set-cookie: io={sid}; Path=/; HttpOnly; SameSite=Lax\r\n");
    assert!(open.contains(&cookie), "{open}");
    assert!(open.contains("set-cookie: mine=1\r\n"), "{open}");

    let session = format!("{POLLING}&sid={sid}");
    let unknown = format!("{POLLING}&sid=x");
    for (method, target, status) in [
        ("POST", &*session, "200"),
        ("GET", &session, "200"),
        ("PUT", &session, "500"),
        ("GET", &unknown, "400"),
        ("GET", "/socket.io/", "400"),
    ] {
        let answer = server::request(address, &format!("{method} {target}"), "40").await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(has(&answer, "x-every", target), "{answer}");
        assert!(!answer.contains("x-first"), "{answer}");
        assert!(!answer.contains("io="), "{answer}");
    }

    // The change of a session to WebSocket is not its first answer.
    let change = session.replace("polling", "websocket");
    let (head, _stream) = server::upgrade(address, &change).await;
    assert!(has(&head, "x-every", &change), "{head}");
    assert!(!head.contains("x-first"), "{head}");
    // A handshake by WebSocket has both, and sets no cookie of ours.
    let (head, _stream) = server::upgrade(address, WEBSOCKET).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(has(&head, "x-first", WEBSOCKET), "{head}");
    assert!(has(&head, "x-every", WEBSOCKET), "{head}");
    assert!(!head.contains("io="), "{head}");
    // What is not ours is left alone.
    let other = server::get(address, "/", "").await;
    assert!(!other.contains("x-every"), "{other}");
}

#[tokio::test]
async fn a_cookie_is_off_unless_it_is_asked_for() {
    let address = serve(RoomsLayer::new()).await;
    let open = server::get(address, POLLING, "").await;
    assert!(open.starts_with("HTTP/1.1 200 "), "{open}");
    assert!(!open.contains("set-cookie"), "{open}");
}

#[test]
fn what_can_not_work_is_said_at_start() {
    let mut cookie = HandshakeCookie::default();
    cookie.name = "not a name".to_owned();
    for (rooms, words) in [
        (layer(|http| http.max_handshakes(0)), "`max_handshakes`"),
        (layer(move |http| http.cookie(cookie)), "`cookie.name`"),
    ] {
        let error = rooms.check().expect_err("a problem").to_string();
        assert!(error.contains(words), "{error}");
    }
}
