//! Whose a session is, and for how long.

use crate::{PATIENCE, room, said};
use async_nats::jetstream::{self, stream::Stream};
use futures_util::StreamExt;
use rooms_layer::{RecoveryConfig, RoomsLayer, prelude::*};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig};
use rooms_tests::{client::Client, engines, proxy::Proxy};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// The names of the log and of the bucket, in this order: JetStream has nothing else.
pub(crate) async fn stores(url: String) -> (jetstream::Context, [String; 2]) {
    let client = async_nats::connect(url).await.expect("NATS is there");
    let context = jetstream::new(client);
    let names: Vec<_> = context.stream_names().collect().await;
    let mut names: Vec<_> = names
        .into_iter()
        .map(|name| name.expect("a name"))
        .collect();
    names.sort_by_key(|name| name.starts_with("KV_"));
    let names = names.try_into().expect("a log and a bucket");
    (context, names)
}

/// Waits until the bucket is as it should be.
async fn bucket_is(engine: &engines::nats::Nats, wanted: impl Fn(&[u8]) -> bool) {
    let (context, [_, bucket]) = stores(engine.url()).await;
    let stream: Stream = context.get_stream(bucket).await.expect("it is there");
    let stored = async {
        loop {
            let last = stream
                .get_info()
                .await
                .expect("it is there")
                .state
                .last_sequence;
            // There may be none, or none any more.
            let message = stream.get_raw_message(last).await.ok();
            if message.is_some_and(|message| wanted(&message.payload)) {
                return;
            }
        }
    };
    timeout(PATIENCE, stored)
        .await
        .expect("the session is stored");
}

/// A client of a server to which clients may come back, and what it would show.
pub(crate) struct Fan {
    pub(crate) client: Client,
    pub(crate) id: String,
    token: String,
    pub(crate) offset: String,
}

impl Fan {
    /// One that has heard something, of which the server knows.
    pub(crate) async fn new(rooms: &RoomsLayer<JetStream>) -> Self {
        let mut client = Client::open(rooms).await;
        client.send("40").await;
        let reply = client.next().await;
        let reply: serde_json::Value = serde_json::from_str(&reply[2..]).expect("an object");
        let text = |name: &str| reply[name].as_str().expect(name).to_owned();
        let (id, token) = (text("sid"), text("pid"));
        let sent = rooms.io::<Main>().to(room(&id)).emit(said("mark"));
        sent.expect("open").await.expect("it is recorded");
        let mut fan = Self {
            client,
            id,
            token,
            offset: String::new(),
        };
        assert_eq!(fan.hears().await, "mark");
        fan
    }

    /// What `said` says next.
    pub(crate) async fn hears(&mut self) -> String {
        let mut packet = "2".to_owned();
        while packet == "2" {
            // It may have to wait for long enough to be pinged.
            let next = timeout(2 * PATIENCE, self.client.next()).await;
            packet = next.expect("an event in time");
        }
        let event: serde_json::Value = serde_json::from_str(&packet[2..]).expect("an event");
        if let Some(offset) = event[2].as_str() {
            self.offset = offset.to_owned();
        }
        event[1].as_str().expect("a text").to_owned()
    }

    /// Ends its connection, and opens one to another server, over which it says nothing yet.
    pub(crate) async fn leave_for(&mut self, rooms: &RoomsLayer<JetStream>) {
        let next = Client::open(rooms).await;
        std::mem::replace(&mut self.client, next).leave().await;
    }

    /// The packet with which it asks for its session.
    pub(crate) fn connect(&self) -> String {
        let Self { token, offset, .. } = self;
        format!(r#"40{{"pid":"{token}","offset":"{offset}"}}"#)
    }
}

async fn server(url: String, recovery: RecoveryConfig) -> RoomsLayer<JetStream> {
    let mut config = JetStreamConfig::default();
    config.max_bytes = 1024 * 1024;
    let nats = JetStream::connect_with(ConnectOptions::new(), url, config).await;
    RoomsLayer::with_adapter(nats.expect("JetStream is there")).recovery(recovery)
}

/// The owner of a session stands still while its client comes back elsewhere. When it goes on, it must not have two of one id.
#[tokio::test]
async fn a_server_that_stood_still_loses_the_sockets_that_went_elsewhere() {
    let engine = engines::nats::Nats::start().await;
    let network = Proxy::start(engine.address()).await;
    let first = format!("nats://{}", network.address());
    let first = server(first, RecoveryConfig::default()).await;
    let second = server(engine.url(), RecoveryConfig::default()).await;
    let mut fan = Fan::new(&first).await;
    bucket_is(&engine, |entry| !entry.is_empty()).await;

    network.stall();
    let mut back = Client::open(&second).await;
    back.send(&fan.connect()).await;
    let again = back.next().await;
    assert!(again.contains(&fan.id), "it is the same: {again}");
    network.heal();
    timeout(PATIENCE, fan.client.ended())
        .await
        .expect("the first one is closed");
    assert_eq!(second.io::<Main>().sockets().await.len(), 1);
}

#[tokio::test]
async fn a_client_that_stays_away_for_longer_than_the_window_is_a_new_one() {
    let engine = engines::nats::Nats::start().await;
    let window = Duration::from_millis(1_500);
    let recovery = RecoveryConfig::default().window(window);
    let first = server(engine.url(), recovery.clone()).await;
    let second = server(engine.url(), recovery).await;
    for (away, is_known) in [(Duration::ZERO, true), (window, false)] {
        let mut fan = Fan::new(&first).await;
        bucket_is(&engine, |entry| !entry.is_empty()).await;
        fan.leave_for(&second).await;
        // Its place says when it left: a number, where there was nil.
        bucket_is(&engine, |entry| !entry.contains(&0xc0)).await;
        sleep(away).await;
        fan.client.send(&fan.connect()).await;
        let reply = fan.client.next().await;
        assert_eq!(reply.contains(&fan.id), is_known, "{reply}");
    }
}
