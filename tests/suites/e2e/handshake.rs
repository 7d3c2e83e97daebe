//! What the application has to say about handshakes, and how many there may be at a time.

use crate::serve;
use futures_util::{SinkExt, StreamExt};
use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue, SET_COOKIE},
};
use rooms_layer::{Config, HandshakeCookie, HandshakeInfo, HttpConfig, Refusal, prelude::*};
use rooms_tests::{client::Client, server};
use std::{
    future::ready,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn layer(change: impl FnOnce(HttpConfig) -> HttpConfig) -> RoomsLayer {
    RoomsLayer::new().config(Config::default().http(change))
}

/// A whole answer to a GET that is not upgraded.
async fn get(address: SocketAddr, target: &str, headers: &str) -> String {
    let request =
        format!("GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    server::exchange(address, &request).await
}

async fn upgrade(address: SocketAddr, target: &str) -> (String, TcpStream) {
    let request = format!("GET {target} HTTP/1.1\r\nhost: test\r\n{UPGRADE}\r\n");
    server::begin(address, &request).await
}

async fn websocket(stream: TcpStream) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a whole answer").1
}

fn sid(open: &str) -> String {
    open.split('"').nth(3).expect("an open packet").to_owned()
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
    let answer = get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(body(&answer), refused);
    let request =
        format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{UPGRADE}connection: close\r\n\r\n");
    let answer = server::exchange(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(body(&answer), refused);
    assert_eq!(asked.load(Ordering::Relaxed), 2);

    let answer = get(address, POLLING, "x-key: 1\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // Whoever is in is not asked about again, by whatever transport, and neither is what would be refused anyway.
    let session = format!("{POLLING}&sid={}", sid(body(&answer)));
    let posted = server::request(address, &format!("POST {session}"), "40").await;
    assert!(posted.ends_with("ok"), "{posted}");
    let polled = get(address, &session, "").await;
    assert!(body(&polled).starts_with("40{"), "{polled}");
    let (head, _stream) = upgrade(address, &session.replace("polling", "websocket")).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let unknown = get(address, "/socket.io/?EIO=3&transport=polling", "").await;
    assert!(body(&unknown).contains("\"code\":5"), "{unknown}");
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

    let open = get(address, POLLING, "").await;
    let session = format!("POST {POLLING}&sid={}", sid(body(&open)));
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
    let open = get(address, POLLING, "x-id: anna.1\r\n").await;
    assert!(body(&open).starts_with(r#"0{"sid":"anna.1","#), "{open}");
    let session = format!("{POLLING}&sid=anna.1");
    let posted = server::request(address, &format!("POST {session}"), "40").await;
    assert!(posted.ends_with("ok"), "{posted}");

    let long = "x".repeat(129);
    let bad_request = r#"{"code":3,"message":"Bad request"}"#;
    for id in ["anna.1", "", "a b", "a/b", &long] {
        let answer = get(address, POLLING, &format!("x-id: {id}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{id:?}: {answer}");
        assert_eq!(body(&answer), bad_request, "{id:?}");
        let upgrade = format!("{UPGRADE}x-id: {id}\r\nconnection: close\r\n");
        let request = format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{upgrade}\r\n");
        let answer = server::exchange(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{id:?}: {answer}");
        assert_eq!(body(&answer), bad_request, "{id:?}");
    }
    assert_eq!(rooms.connections(), 1);

    // The first one's session is untouched.
    let polled = get(address, &session, "").await;
    assert!(body(&polled).starts_with("40{"), "{polled}");
    let posted = server::request(address, &format!("POST {session}"), "1").await;
    assert!(posted.ends_with("ok"), "{posted}");
    // And now the id is free.
    let open = timeout(Duration::from_secs(20), async {
        loop {
            let open = get(address, POLLING, "x-id: anna.1\r\n").await;
            if open.starts_with("HTTP/1.1 200 ") {
                return open;
            }
        }
    });
    assert_eq!(
        sid(body(&open.await.expect("the id of a session that is over"))),
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

    let open = get(address, POLLING, "").await;
    assert!(has(&open, "x-first", POLLING), "{open}");
    assert!(has(&open, "x-every", POLLING), "{open}");
    let sid = sid(body(&open));
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
    let (head, _stream) = upgrade(address, &change).await;
    assert!(has(&head, "x-every", &change), "{head}");
    assert!(!head.contains("x-first"), "{head}");
    // A handshake by WebSocket has both, and sets no cookie of ours.
    let (head, _stream) = upgrade(address, WEBSOCKET).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(has(&head, "x-first", WEBSOCKET), "{head}");
    assert!(has(&head, "x-every", WEBSOCKET), "{head}");
    assert!(!head.contains("io="), "{head}");
    // What is not ours is left alone.
    let other = get(address, "/", "").await;
    assert!(!other.contains("x-every"), "{other}");
}

#[tokio::test]
async fn a_cookie_is_off_unless_it_is_asked_for() {
    let address = serve(RoomsLayer::new()).await;
    let open = get(address, POLLING, "").await;
    assert!(open.starts_with("HTTP/1.1 200 "), "{open}");
    assert!(!open.contains("set-cookie"), "{open}");
}

const BUSY: &str = r#"{"code":3,"message":"too many handshakes under way, try again"}"#;

#[tokio::test]
async fn handshakes_that_wait_for_a_decision_are_few() {
    let decisions = Arc::new(Semaphore::new(0));
    let (sender, mut waiting) = mpsc::unbounded_channel();
    let gate = decisions.clone();
    let rooms = layer(move |http| {
        http.max_handshakes(2).allow_request(move |_| {
            sender.send(()).ok();
            let gate = gate.clone();
            async move {
                let pass = gate.acquire_owned().await.expect("an open gate");
                pass.forget();
                Ok(())
            }
        })
    });
    let address = serve(rooms.clone()).await;
    let first = tokio::spawn(get(address, POLLING, ""));
    let second = tokio::spawn(get(address, POLLING, ""));
    waiting.recv().await;
    waiting.recv().await;
    for _ in 0..10 {
        let answer = get(address, POLLING, "").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert_eq!(body(&answer), BUSY);
    }
    assert_eq!(rooms.connections(), 0);

    decisions.add_permits(3);
    for answer in [first.await, second.await] {
        let answer = answer.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let answer = get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// A client that goes away while it is decided about leaves its place to others.
#[tokio::test]
async fn a_handshake_that_is_given_up_leaves_its_place() {
    let (sender, mut waiting) = mpsc::unbounded_channel();
    let rooms = layer(move |http| {
        http.max_handshakes(1).allow_request(move |head| {
            let waits = head.headers.contains_key("x-wait");
            sender.send(()).ok();
            async move {
                if waits {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        })
    });
    let address = serve(rooms).await;
    let request = format!("GET {POLLING} HTTP/1.1\r\nhost: test\r\nx-wait: 1\r\n\r\n");
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let written = stream.write_all(request.as_bytes()).await;
        written.expect("an open connection");
        waiting.recv().await;
        drop(stream);
        let answer = until_not_busy(address).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        waiting.recv().await;
    }
}

#[tokio::test]
async fn websockets_that_do_not_take_over_are_few() {
    let mut config = Config::default().http(|http| http.max_handshakes(1));
    config.engine.upgrade_timeout = Duration::from_millis(300);
    let address = serve(RoomsLayer::new().config(config)).await;
    let open = get(address, POLLING, "").await;
    let session = format!("{WEBSOCKET}&sid={}", sid(body(&open)));

    let (head, stream) = upgrade(address, &session).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let answer = get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(body(&answer), BUSY);
    // Its time is up: it is closed, and leaves its place.
    let mut silent = websocket(stream).await;
    let goodbye = silent.next().await.expect("a frame").expect("a frame");
    assert!(goodbye.is_close(), "{goodbye:?}");
    drop(silent);
    let answer = until_not_busy(address).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    // One that takes over is a connection like any other.
    let (head, stream) = upgrade(address, &session).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let mut client = websocket(stream).await;
    client
        .send("2probe".into())
        .await
        .expect("an open connection");
    let pong = client.next().await.expect("a frame").expect("a frame");
    assert_eq!(pong.into_text().expect("a text"), "3probe");
    client.send("5".into()).await.expect("an open connection");
    let answer = until_not_busy(address).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Shakes hands until there is a place.
async fn until_not_busy(address: SocketAddr) -> String {
    let answer = timeout(Duration::from_secs(20), async {
        loop {
            let answer = get(address, POLLING, "").await;
            if !answer.starts_with("HTTP/1.1 503 ") {
                return answer;
            }
        }
    });
    answer.await.expect("a place in time")
}

#[tokio::test]
async fn malformed_handshakes_leave_the_server_serving() {
    let rooms = layer(|http| http.max_handshakes(3));
    let address = serve(rooms.clone()).await;
    let malformed = [
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 7\r\nsec-websocket-key: x\r\n\r\n",
        "GET /socket.io/?EIO=4&transport=__proto__&sid=constructor HTTP/1.1\r\nhost: test\r\n\r\n",
        "GET /socket.io/?EIO=4&EIO=4&transport=polling&sid=%00%ff HTTP/1.1\r\nhost: test\r\n\r\n",
        "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: test\r\ncontent-length: 99\r\n\r\n4",
        "GET /socket.io/?EIO=4&transport=polling SIP/2.0\r\n\r\n",
        "\x16\x03\x01\x02\x00",
    ];
    for request in malformed.iter().cycle().take(140) {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let written = stream.write_all(request.as_bytes()).await;
        written.expect("an open connection");
    }
    assert_eq!(rooms.connections(), 0);
    // Not one of them holds a place.
    let _clients = [
        Client::connect(address).await,
        Client::connect(address).await,
        Client::connect(address).await,
        Client::connect(address).await,
    ];
    assert_eq!(rooms.connections(), 4);
}

/// In a process of its own, whose descriptors are counted.
#[tokio::test]
async fn aborted_handshakes_hold_no_descriptors() {
    const ABORTED: usize = 1_000;
    let mut process =
        tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_fixture-axum")))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("cargo has built the fixture");
    let stdout = process.stdout.take().expect("stdout is piped");
    let line = BufReader::new(stdout).lines().next_line().await;
    let line = line.expect("text").expect("a line");
    let address = line
        .strip_prefix("listening on http://")
        .expect("an address");
    let address: SocketAddr = address.parse().expect("an address");
    let folder = format!("/proc/{}/fd", process.id().expect("it runs"));
    let descriptors = || std::fs::read_dir(&folder).expect("a process").count();

    get(address, "/", "").await;
    let before = descriptors();
    let websocket = format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{UPGRADE}\r\n");
    let polling = format!("GET {POLLING} HTTP/1.1\r\nhost: test\r\n\r\n");
    for n in 0..ABORTED {
        let request = [&websocket, &polling][n % 2];
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // Cut off everywhere, and often enough right after its end.
        let length = (n * 7) % (request.len() + 40);
        let part = &request.as_bytes()[..length.min(request.len())];
        stream.write_all(part).await.expect("an open connection");
        if n % 3 == 0 {
            // The server's next write meets a reset.
            stream.set_zero_linger().expect("an option of TCP");
        }
    }
    let freed = timeout(Duration::from_secs(20), async {
        while descriptors() > before + 5 {
            get(address, "/", "").await;
        }
    });
    let held = || format!("{} descriptors, {before} before", descriptors());
    freed.await.unwrap_or_else(|_| panic!("{}", held()));
    let open = get(address, POLLING, "").await;
    assert!(open.starts_with("HTTP/1.1 200 "), "{open}");
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
