//! The Engine.IO door by itself: the official client without Socket.IO, and HTTP by hand.

use axum::{Router, routing::get};
use rooms_layer::{
    DisconnectReason, EngineConfig, HttpConfig, Refusal, RoomsLayer,
    engine_io::{EngineLayer, EngineSocket, Handler, Message, Transport},
};
use rooms_tests::{client::Client, node, server};
use std::{future::ready, net::SocketAddr, time::Duration};
use tokio::sync::mpsc;

const PATH: &str = "/engine.io/?EIO=4&transport=polling";

/// What `tests/clients/engine` talks to: says again what it hears, and tells what ended a connection.
struct Echo(mpsc::UnboundedSender<DisconnectReason>);

impl Handler for Echo {
    async fn message(&self, socket: &EngineSocket, message: Message) {
        let answer = match &message {
            Message::Text(text) if text == "close" => return socket.close(),
            Message::Text(text) if text == "transport" => match socket.transport() {
                Some(Transport::Polling) => "polling".into(),
                Some(Transport::WebSocket) => "websocket".into(),
                _ => "none".into(),
            },
            _ => message,
        };
        socket.send(answer).ok();
    }

    async fn close(&self, _: &EngineSocket, reason: DisconnectReason) {
        self.0.send(reason).ok();
    }
}

struct Server {
    address: SocketAddr,
    layer: EngineLayer<Echo>,
    reasons: mpsc::UnboundedReceiver<DisconnectReason>,
}

/// The door beside that of Socket.IO and somebody's route.
async fn serve(ping_interval: Duration) -> Server {
    let (sender, reasons) = mpsc::unbounded_channel();
    let http = HttpConfig::default()
        .allow_request(|head| {
            let query = head.uri.query().unwrap_or("");
            ready(match query.contains("refuse=") {
                true => Err(Refusal::new("not you")),
                false => Ok(()),
            })
        })
        .headers(|_, headers| {
            headers.insert("x-door", http::HeaderValue::from_static("engine"));
        });
    let mut engine = EngineConfig::default();
    engine.ping_interval = ping_interval;
    let layer = EngineLayer::with_config(Echo(sender), http, engine).expect("settings that work");
    let app = Router::new()
        .route("/", get(|| async { "somebody else's" }))
        .layer(RoomsLayer::new())
        .layer(layer.clone());
    Server {
        address: server::serve(app).await,
        layer,
        reasons,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client() {
    let server = serve(Duration::from_millis(100)).await;
    let url = format!("http://{}", server.address);
    let run = move || node::run_suite("clients/engine", &url);
    let run = tokio::task::spawn_blocking(run);
    run.await.expect("a suite that passes");
}

/// The suite describes Engine.IO, and not us.
#[test]
fn the_official_client_and_server() {
    // Without an address the suite starts Node's own server.
    node::run_suite("clients/engine", "");
}

#[tokio::test]
async fn a_session_is_polled() {
    let Server {
        address,
        layer,
        mut reasons,
    } = serve(Duration::from_secs(25)).await;
    let open = server::request(address, &format!("GET {PATH}"), "").await;
    assert!(open.contains("x-door: engine\r\n"), "{open}");
    let sid = open.split('"').nth(3).expect("an open packet").to_owned();
    let expected = format!(
        "0{{\"sid\":\"{sid}\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\
         \"maxPayload\":1000000}}"
    );
    assert!(open.ends_with(&expected), "{open}");
    assert_eq!(layer.connections(), 1);

    let session = format!("{PATH}&sid={sid}");
    let (get, post) = (format!("GET {session}"), format!("POST {session}"));
    // Text and, in base64, binary.
    let posted = server::request(address, &post, "4transport\x1ebAQID\x1e4{\"x\":1}").await;
    assert!(posted.ends_with("\r\n\r\nok"), "{posted}");
    let polled = server::request(address, &get, "").await;
    assert!(
        polled.ends_with("\r\n\r\n4polling\x1ebAQID\x1e4{\"x\":1}"),
        "{polled}"
    );

    let posted = server::request(address, &post, "4close").await;
    assert!(posted.ends_with("\r\n\r\nok"), "{posted}");
    let polled = server::request(address, &get, "").await;
    assert!(polled.ends_with("\r\n\r\n1"), "{polled}");
    assert_eq!(
        reasons.recv().await,
        Some(DisconnectReason::ForcedServerClose)
    );

    let refused = server::request(address, &format!("GET {PATH}&refuse=1"), "").await;
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(
        refused.ends_with(r#"{"code":4,"message":"not you"}"#),
        "{refused}"
    );
}

#[tokio::test]
async fn doors_stand_side_by_side() {
    let Server {
        address,
        layer,
        reasons: _reasons,
    } = serve(Duration::from_secs(25)).await;
    let mut client = Client::connect(address).await;
    client.send("41").await;
    let other = server::request(address, "GET /", "").await;
    assert!(other.ends_with("somebody else's"), "{other}");
    assert!(!other.contains("x-door"), "{other}");
    assert_eq!(layer.connections(), 0);
}
