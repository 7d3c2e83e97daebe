//! The rows, as this client can do them.

use crate::{
    peer::{Options, Peer, argument},
    say,
};
use rust_socketio::{Payload, TransportType};
use serde_json::{Value, json};

/// The addresses of one server.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    /// Leads to the same server through a proxy, which cuts its connections when it is asked to.
    pub breakable: String,
}

/// A row panics where it fails.
pub type Row = fn(&Server);

pub fn named(name: &str) -> Option<Row> {
    Some(match name {
        "connect" => connect,
        "auth refused" => auth_refused,
        "events" => events,
        "ack by server" => ack_by_server,
        "ack timeout in server" => ack_timeout_in_server,
        "binary" => binary,
        "namespaces" => namespaces,
        "rooms" => rooms,
        "upgrade" => |server| over(server, TransportType::WebsocketUpgrade),
        "polling only" => |server| over(server, TransportType::Polling),
        "websocket only" => |server| over(server, TransportType::Websocket),
        "reconnect" => |server| comes_back(&server.breakable, "cut"),
        "restart" => |server| comes_back(&server.url, "restart"),
        "message size" => message_size,
        "unicode" => unicode,
        _ => return None,
    })
}

impl Server {
    fn connect(&self) -> Peer {
        Peer::connect(&self.url, Options::default())
    }
}

fn still_serves(peer: &Peer) {
    assert_eq!(peer.ask("echo", json!("still here")), "still here");
}

fn connect(server: &Server) {
    still_serves(&server.connect());
}

fn auth_refused(server: &Server) {
    let options = Options {
        token: "guess",
        ..Options::default()
    };
    let refused = refusal(&Peer::open(&server.url, options));
    assert_eq!(
        refused,
        json!({ "message": "invalid token", "data": { "code": 401 } })
    );
    server.connect();
}

/// What the server refuses the connection with: this client hands it on as the end of a sentence.
fn refusal(peer: &Peer) -> Value {
    let error = argument(peer.next("error"));
    let text = error.as_str().expect("an error is a text");
    let said = text.strip_prefix("Received an ConnectError frame: ");
    let said = said.unwrap_or_else(|| panic!("{text:?} instead of a refusal"));
    serde_json::from_str(said).expect("a refusal is JSON")
}

fn events(server: &Server) {
    let (ann, bob) = (server.connect(), server.connect());
    ann.emit("nobody_listens", json!({ "a": 1 }));
    ann.emit("shout", json!({ "text": "hello" }));
    let heard = [&ann, &bob].map(|peer| argument(peer.next("shouted")));
    assert_eq!(heard[0]["text"], "hello");
    assert_eq!(heard[0], heard[1]);
}

fn ack_by_server(server: &Server) {
    let peer = server.connect();
    for n in 0..100 {
        assert_eq!(peer.ask("echo", json!(n)), n);
    }
    let answer = peer.ask("strict", json!({ "n": 41 }));
    assert_eq!(answer, json!({ "ok": true, "value": { "n": 42 } }));
}

fn ack_timeout_in_server(server: &Server) {
    let peer = server.connect();
    assert_eq!(peer.ask("ask_in_vain", json!(null)), "timed out");
    still_serves(&peer);
}

fn binary(server: &Server) {
    mirrors(&server.connect());
}

fn mirrors(peer: &Peer) {
    // This client takes a WebSocket message with that byte for several packets.
    let bytes = (0..=255).filter(|byte| *byte != 0x1e).collect::<Vec<u8>>();
    peer.emit("mirror", bytes.clone());
    let Payload::Binary(mirrored) = peer.next("mirrored") else {
        panic!("mirrored came without bytes")
    };
    assert_eq!(mirrored, bytes.into_iter().rev().collect::<Vec<u8>>());
}

fn namespaces(server: &Server) {
    let at = |namespace| Options {
        namespace,
        ..Options::default()
    };
    let (main, side) = (server.connect(), Peer::connect(&server.url, at("/side")));
    main.emit("shout", json!({ "text": "in main" }));
    side.emit("shout", json!({ "text": "beside" }));
    for (peer, text) in [(&main, "in main"), (&side, "beside")] {
        assert_eq!(argument(peer.next("shouted"))["text"], text);
        still_serves(peer);
    }
    let lost = Peer::open(&server.url, at("/nowhere"));
    assert_eq!(refusal(&lost)["message"], "Invalid namespace");
}

fn rooms(server: &Server) {
    let peers @ [ann, bob, eve] = &[server.connect(), server.connect(), server.connect()];
    for peer in peers {
        assert_eq!(peer.ask("join", json!("blue")), true);
    }
    assert_eq!(eve.ask("join", json!("red")), true);
    let joined = eve.ask("rooms", json!(null));
    let joined = joined.as_array().expect("rooms are a list");
    assert!(joined.len() == 3 && joined.contains(&json!("blue")) && joined.contains(&json!("red")));

    // When a shout has reached all, which nothing overtakes.
    let told_until_now = || {
        ann.emit("shout", json!({ "text": "end" }));
        peers.each_ref().map(|peer| {
            let told = peer.told_until("shouted");
            told.iter()
                .map(|told| told["text"].to_string())
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    ann.emit("tell", json!({ "room": "blue", "text": "to" }));
    ann.emit(
        "tell_except",
        json!({ "room": "blue", "except": "red", "text": "except" }),
    );
    assert_eq!(told_until_now(), ["", r#""to" "except""#, r#""to""#]);

    assert_eq!(bob.ask("leave", json!("blue")), true);
    ann.emit("tell", json!({ "room": "blue", "text": "left" }));
    assert_eq!(told_until_now(), ["", "", r#""left""#]);
}

fn over(server: &Server, transport: TransportType) {
    let options = Options {
        transport,
        ..Options::default()
    };
    let peer = Peer::connect(&server.url, options);
    still_serves(&peer);
    mirrors(&peer);
}

fn comes_back(url: &str, request: &str) {
    let peer = Peer::connect(url, Options::default());
    still_serves(&peer);
    say(&json!({ "request": request }));
    peer.next("close");
    peer.next("connect");
    still_serves(&peer);
}

fn message_size(server: &Server) {
    let (large, other) = (server.connect(), server.connect());
    let passes = "x".repeat(900_000);
    assert_eq!(large.ask("echo", json!(passes)), *passes);
    large.emit("echo", json!("x".repeat(1_100_000)));
    large.next("close");
    still_serves(&other);
}

fn unicode(server: &Server) {
    let peer = server.connect();
    for text in [
        "𝄞 👩‍👩‍👧‍👦 𐀀 \u{10ffff}",
        "e\u{301} n\u{303} 한",
        "a\u{2028}b\u{2029}c",
        "\0 \u{202e} \u{feff} \u{ffff} é 漢字",
    ] {
        assert_eq!(peer.ask("echo", json!(text)), text);
    }
}
