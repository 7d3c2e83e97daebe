//! What the log says: each decision, names of clients in a form that can't forge a line, and nothing that clients carry.

use crate::{Double, Said, alone, serve};
use rooms_layer::{Config, prelude::*};
use rooms_tests::{client::Client, server};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};
use tracing::{
    Event as LogEvent, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// What clients send where nobody should read it, and an ending for names that would begin a line of its own.
const SECRET: &str = "s3cret";
const FORGED: &str = "\\n\\u001b[31mERROR forged";

/// Lines of the log, with nothing escaped that was not escaped by whoever logged it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>);

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").expect("memory");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("memory");
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &LogEvent<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("rooms_layer") {
            return;
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        let mut lines = self.0.lock().expect("nobody panics here");
        lines.push((*metadata.level(), line.0));
    }
}

impl Log {
    /// Whether a line of that level says all of this.
    fn says(&self, level: Level, words: &[&str]) -> bool {
        let lines = self.0.lock().expect("nobody panics here");
        lines
            .iter()
            .any(|(of, line)| *of == level && words.iter().all(|word| line.contains(word)))
    }
}

#[derive(Deserialize)]
struct Token {
    token: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
struct Position(u32, u32);

#[derive(Namespace)]
#[namespace(path = "/guarded", auth = Token, data = u32, open)]
struct Guarded;

#[derive(Namespace)]
#[namespace(path = "/dynamic-{name}", open)]
struct Dynamic {
    name: String,
}

async fn authorize(handshake: Handshake<Guarded>) -> Result<u32, Refuse> {
    match handshake.auth.token {
        7 => Ok(7),
        _ => Err(Refuse::new("unknown token")),
    }
}

#[tokio::test]
async fn the_log_tells_decisions_and_no_secrets() {
    let _turn = alone().await;
    let log = Log::default();
    // The default of this thread, on which the whole test runs.
    let _guard = tracing_subscriber::registry()
        .with(log.clone())
        .set_default();

    let main = Main::serve(())
        .on(async |_: Socket<Main>, Double(n): Double| n * 2)
        .on(async |_: Socket<Main>, _: Position| {});
    let config = Config::default().max_queued_packets(300);
    let rooms = RoomsLayer::new()
        .config(config)
        .namespace(main)
        .namespace(Guarded::serve(()).authorize(authorize))
        .namespace(Dynamic::serve(()));
    let io = rooms.io::<Main>();
    let address = serve(&rooms).await;

    // Requests.
    let forged = "%0A%1B%5B31mERROR%20forged";
    for query in [
        format!("EIO=4&transport={forged}&secret={SECRET}"),
        format!("EIO=4&transport=polling&sid={SECRET}{forged}"),
        format!("EIO={forged}&transport=polling&secret={SECRET}"),
    ] {
        server::request(address, &format!("GET /socket.io/?{query}"), SECRET).await;
    }
    assert!(log.says(Level::DEBUG, &["request refused", "transport"]));
    assert!(log.says(Level::DEBUG, &["request refused", "`sid`"]));
    assert!(log.says(Level::DEBUG, &["request refused", "`EIO=4`"]));

    // Namespaces.
    let mut client = Client::open(&rooms).await;
    client.send("40/no\n\x1b[31mERROR forged").await;
    assert!(client.next().await.contains("Invalid namespace"));
    assert!(log.says(Level::DEBUG, &["no such namespace", r"/no\n\u{1b}[31m"]));
    client.send("40/dynamic-a\x1b[31m\n,").await;
    assert!(client.next().await.contains("Invalid namespace"));
    client
        .send(&format!(r#"40/guarded,{{"token":"{SECRET}{FORGED}"}}"#))
        .await;
    assert!(
        client.next().await.contains(SECRET),
        "the client may read what it sent"
    );
    assert!(log.says(Level::DEBUG, &["refused by `authorize`", "another form"]));
    client.send(r#"40/guarded,{"token":8}"#).await;
    client.next().await;
    assert!(log.says(Level::DEBUG, &["refused by `authorize`", "unknown token"]));
    client.send(r#"40/guarded,{"token":7}"#).await;
    client.next().await;
    assert!(log.says(Level::DEBUG, &["/guarded", "connected"]));
    client.leave().await;
    assert!(log.says(
        Level::DEBUG,
        &["/guarded", "disconnected", "transport close"]
    ));
    assert!(log.says(Level::DEBUG, &["connection closed", "PeerClosed"]));

    // Events.
    let mut client = Client::join(&rooms, "").await;
    client
        .send(&format!(r#"42["nobody{FORGED}","{SECRET}"]"#))
        .await;
    client
        .send(&format!(r#"42["position",1,"{SECRET}"]"#))
        .await;
    assert_eq!(client.ask(r#"["double",2]"#).await, "[4]");
    assert!(log.says(Level::DEBUG, &["rejected an event", r"nobody\n\u{1b}[31m"]));
    assert!(log.says(
        Level::DEBUG,
        &["rejected an event", "position", "argument 1"]
    ));
    client.send(&format!(r#"42["position","{SECRET}",]"#)).await;
    client.ended().await;
    assert!(log.says(Level::DEBUG, &["refused a packet"]));
    assert!(log.says(Level::DEBUG, &["connection closed", "Violation"]));
    client.leave().await;

    // Clients that do not keep up.
    let slow = Client::join(&rooms, "").await;
    let said = || Said(SECRET.repeat(100));
    while io.emit(said()).expect("an open server").local == 1 {
        io.volatile().emit(said()).expect("an open server");
    }
    drop(slow);
    while rooms.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(log.says(Level::DEBUG, &["volatile events dropped"]));
    assert!(log.says(Level::WARN, &["does not keep up"]));

    let lines = log.0.lock().expect("nobody panics here");
    assert!(lines.len() > 15, "{lines:?}");
    for (_, line) in lines.iter() {
        assert!(!line.contains(SECRET), "{line}");
        assert!(!line.contains(['\n', '\x1b']), "{line:?}");
    }
}
