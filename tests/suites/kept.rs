//! How much is kept for clients that come back: the ceilings of `RecoveryConfig`, which all adapters with recovery have.

use async_nats::jetstream::kv::Operation;
use futures_util::StreamExt;
use rooms_layer::{Adapter, InMemory, RecoveryConfig, bounds::CanRecover, prelude::*};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig};
use rooms_redis::{Redis, Streams};
use rooms_tests::{client::Client, engines};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{fmt::Write, time::Duration};
use tokio::{
    io::DuplexStream,
    time::{sleep, timeout},
};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Event, Serialize)]
#[event(server, broadcast, to(dynamic))]
struct Said(String);

/// What a client shows to come back.
#[derive(Clone)]
struct Ticket {
    id: String,
    auth: String,
    token: String,
}

struct Server<A: Adapter>(RoomsLayer<A>);

impl<A: Adapter + CanRecover> Server<A> {
    fn new(adapter: A) -> Self {
        let recovery = RecoveryConfig::default()
            .max_packets(5)
            .max_bytes(2_000)
            .max_sessions(2);
        Self(RoomsLayer::with_adapter(adapter).recovery(recovery))
    }

    async fn say(&self, text: &str) {
        let sent = self.0.io::<Main>().emit(Said(text.to_owned()));
        let sent = sent.expect("the server is open");
        sent.await.expect("the engine is there");
    }

    /// A client that has heard something, and is gone without a goodbye.
    async fn lost(&self) -> Ticket {
        let mut client = Client::open(&self.0).await;
        client.send("40").await;
        let ticket = self.ticket(&mut client).await;
        drop(client);
        // Until its session can be claimed.
        let gone = async {
            while self.0.io::<Main>().count().await > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, gone).await.expect("it goes in time");
        ticket
    }

    async fn ticket(&self, client: &mut Client<DuplexStream>) -> Ticket {
        let reply = client.next().await;
        let reply: serde_json::Value = serde_json::from_str(&reply[2..]).expect("an object");
        let text = |key: &str| reply[key].as_str().expect("a text").to_owned();
        self.say("mark").await;
        let event = client.event().await;
        let offset = event[2].as_str().expect("an offset");
        let token = text("pid");
        Ticket {
            id: text("sid"),
            auth: format!(r#"40{{"pid":"{token}","offset":"{offset}"}}"#),
            token,
        }
    }

    /// Whether the client is the one that it was.
    async fn comes_back(&self, ticket: &Ticket) -> bool {
        let mut client = Client::open(&self.0).await;
        client.send(&ticket.auth).await;
        loop {
            let packet = timeout(PATIENCE, client.next()).await.expect("in time");
            if packet.starts_with("40") {
                return packet.contains(&ticket.id);
            }
        }
    }

    async fn check(&self, is_erased: impl AsyncFn(&Ticket) -> bool) {
        let client = self.lost().await;
        for _ in 0..5 {
            self.say("small").await;
        }
        assert!(self.comes_back(&client).await, "as many as may be");
        let client = self.lost().await;
        for _ in 0..6 {
            self.say("small").await;
        }
        assert!(!self.comes_back(&client).await, "one more than may be");

        let client = self.lost().await;
        self.say(&"x".repeat(1_500)).await;
        assert!(self.comes_back(&client).await, "not too long");
        let client = self.lost().await;
        for _ in 0..2 {
            self.say(&"x".repeat(1_500)).await;
        }
        assert!(!self.comes_back(&client).await, "too long together");

        let (first, second, third) = (self.lost().await, self.lost().await, self.lost().await);
        let erased = async {
            while !is_erased(&first).await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, erased)
            .await
            .expect("it is erased in time");
        for kept in [second, third] {
            assert!(self.comes_back(&kept).await, "two may be away");
        }
        assert!(!self.comes_back(&first).await, "two others were away");
    }
}

#[tokio::test]
async fn in_memory() {
    Server::new(InMemory).check(async |_| true).await;
}

#[tokio::test]
async fn in_redis() {
    let engine = engines::redis::Redis::start().await;
    let redis = Redis::standalone(&engine.url()).expect("a URL");
    let adapter = Streams::connect(redis).await.expect("Redis is there");
    let is_erased = async |ticket: &Ticket| {
        let key = format!("sio:session:{}", ticket.token);
        engine.ask(&format!("EXISTS {key}")).await == ":0\r\n"
    };
    Server::new(adapter).check(is_erased).await;
}

#[tokio::test]
async fn in_jetstream() {
    let engine = engines::nats::Nats::start().await;
    let mut config = JetStreamConfig::default();
    config.max_bytes = 1024 * 1024;
    let adapter = JetStream::connect_with(ConnectOptions::new(), engine.url(), config).await;
    let server = Server::new(adapter.expect("JetStream is there"));
    let client = async_nats::connect(engine.url()).await;
    let context = async_nats::jetstream::new(client.expect("NATS is there"));
    let names = context.stream_names().filter_map(async |name| {
        let name = name.expect("a name");
        name.strip_prefix("KV_").map(str::to_owned)
    });
    let bucket = names.collect::<Vec<_>>().await.remove(0);
    let store = context.get_key_value(bucket).await.expect("it is there");
    let is_erased = async |ticket: &Ticket| {
        let mut key = String::new();
        for byte in Sha256::digest(&ticket.token) {
            write!(key, "{byte:02x}").expect("a string takes everything");
        }
        let found = store.entry(key).await.expect("it is there");
        found.is_some_and(|found| found.operation == Operation::Purge)
    };
    server.check(is_erased).await;
}
