//! How many handshakes may be under way, and that none of them leaves anything behind.

use crate::serve;
use axum::{Router, middleware};
use futures_util::{SinkExt, StreamExt};
use rooms_layer::{Config, prelude::*};
use rooms_tests::{
    client::Client,
    server::{self, UPGRADE},
};
use std::{
    future::pending,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
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
/// The answer to one handshake too many.
const BUSY: &str = r#"{"code":3,"message":"too many handshakes under way, try again"}"#;

fn config(max_handshakes: usize) -> Config {
    Config::default().http(|http| http.max_handshakes(max_handshakes))
}

async fn websocket(stream: TcpStream) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(stream, Role::Client, None).await
}

#[tokio::test]
async fn handshakes_that_wait_for_a_decision_are_few() {
    let decisions = Arc::new(Semaphore::new(0));
    let (sender, mut waiting) = mpsc::unbounded_channel();
    let gate = decisions.clone();
    let config = config(2).http(move |http| {
        http.allow_request(move |_| {
            sender.send(()).ok();
            let gate = gate.clone();
            async move {
                let pass = gate.acquire_owned().await.expect("an open gate");
                pass.forget();
                Ok(())
            }
        })
    });
    let rooms = RoomsLayer::new().config(config);
    let address = serve(rooms.clone()).await;
    let first = tokio::spawn(server::get(address, POLLING, ""));
    let second = tokio::spawn(server::get(address, POLLING, ""));
    waiting.recv().await;
    waiting.recv().await;
    for _ in 0..10 {
        let answer = server::get(address, POLLING, "").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert_eq!(server::body(&answer), BUSY);
    }
    assert_eq!(rooms.connections(), 0);

    decisions.add_permits(3);
    for answer in [first.await, second.await] {
        let answer = answer.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let answer = server::get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// A client that goes away while it is decided about leaves its place to others.
#[tokio::test]
async fn a_handshake_that_is_given_up_leaves_its_place() {
    let (sender, mut waiting) = mpsc::unbounded_channel();
    let config = config(1).http(move |http| {
        http.allow_request(move |head| {
            let waits = head.headers.contains_key("x-wait");
            sender.send(()).ok();
            async move {
                if waits {
                    pending::<()>().await;
                }
                Ok(())
            }
        })
    });
    let address = serve(RoomsLayer::new().config(config)).await;
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
    let mut config = config(1);
    config.engine.upgrade_timeout = Duration::from_millis(300);
    let address = serve(RoomsLayer::new().config(config)).await;
    let open = server::get(address, POLLING, "").await;
    let session = format!("{WEBSOCKET}&sid={}", server::sid(server::body(&open)));

    let (head, stream) = server::upgrade(address, &session).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let answer = server::get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(server::body(&answer), BUSY);
    // Its time is up: it is closed, and leaves its place.
    let mut silent = websocket(stream).await;
    let goodbye = silent.next().await.expect("a frame").expect("a frame");
    assert!(goodbye.is_close(), "{goodbye:?}");
    drop(silent);
    let answer = until_not_busy(address).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    // One that takes over is a connection like any other.
    let (head, stream) = server::upgrade(address, &session).await;
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

/// What answers in our stead may keep our answer, and then the server never hands the connection over.
#[tokio::test]
async fn a_connection_that_is_never_handed_over_leaves_its_place() {
    let mut config = config(1);
    config.engine.upgrade_timeout = Duration::from_millis(300);
    let (sender, mut kept) = mpsc::unbounded_channel();
    let keep = middleware::from_fn(
        move |request: axum::extract::Request, next: middleware::Next| {
            let sender = sender.clone();
            async move {
                let response = next.run(request).await;
                if response.status() == hyper::StatusCode::SWITCHING_PROTOCOLS {
                    sender.send(()).ok();
                    pending::<()>().await;
                }
                response
            }
        },
    );
    let rooms = RoomsLayer::new().config(config);
    let address = server::serve(Router::new().layer(rooms.clone()).layer(keep)).await;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {WEBSOCKET} HTTP/1.1\r\nhost: test\r\n{UPGRADE}\r\n");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("an open connection");
    kept.recv().await;
    let answer = server::get(address, POLLING, "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let answer = until_not_busy(address).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(rooms.connections(), 1);
}

/// Shakes hands until there is a place.
async fn until_not_busy(address: SocketAddr) -> String {
    let answer = timeout(Duration::from_secs(20), async {
        loop {
            let answer = server::get(address, POLLING, "").await;
            if !answer.starts_with("HTTP/1.1 503 ") {
                return answer;
            }
        }
    });
    answer.await.expect("a place in time")
}

#[tokio::test]
async fn malformed_handshakes_leave_the_server_serving() {
    let rooms = RoomsLayer::new().config(config(3));
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
            // It serves until this ends.
            .stdin(Stdio::piped())
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

    server::get(address, "/", "").await;
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
            server::get(address, "/", "").await;
        }
    });
    let held = || format!("{} descriptors, {before} before", descriptors());
    freed.await.unwrap_or_else(|_| panic!("{}", held()));
    let open = server::get(address, POLLING, "").await;
    assert!(open.starts_with("HTTP/1.1 200 "), "{open}");
}
