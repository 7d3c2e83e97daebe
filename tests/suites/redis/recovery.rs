//! Clients that come back, to the same server or to another one: whole, or as new clients.

use crate::{PATIENCE, url};
use axum::{Json, Router, http::StatusCode, routing::post};
use rooms_layer::{
    Adapter, Config, Error, Parsers, RecoveryConfig, prelude::*, rooms::adapter::Health,
};
use rooms_redis::{Redis, Streams};
use rooms_tests::{client::Client, engines, node, peer::Peer, proxy::Proxy, server};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    time::timeout,
};

#[derive(Event, Serialize)]
#[event(name = "notice", server, to(dynamic))]
struct Notice {
    text: String,
    bytes: Bytes,
}

/// A number of a publisher.
#[derive(Event)]
#[event(name = "number", server, broadcast, to(dynamic))]
struct Number(u32, u32);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Join(String);

#[derive(Event)]
#[event(client, ack = Vec<String>)]
struct Rooms;

/// A server whose clients may come back.
struct Server {
    rooms: RoomsLayer<Streams>,
    adapter: Streams,
}

impl Server {
    /// One that soon gives up a Redis that does not answer.
    async fn start(address: &str) -> Self {
        Self::start_with(address, Duration::from_millis(500)).await
    }

    async fn start_with(address: &str, patience: Duration) -> Self {
        let redis = Redis::standalone(address).expect("a URL");
        let adapter = Streams::connect(redis.timeout(patience)).await;
        let adapter = adapter.expect("Redis is there");
        let rooms = RoomsLayer::with_adapter(adapter.clone())
            .config(Config::default().parsers(Parsers::Both))
            .recovery(RecoveryConfig::default().window(Duration::from_secs(20)))
            .on(async |socket: Socket<Main>, Join(room): Join| {
                // Its session is in Redis then.
                socket.join(DynRoom(room)).await.is_ok()
            })
            .on(async |socket: Socket<Main>, _: Rooms| {
                let mut rooms = socket.room_names();
                rooms.sort();
                rooms
            });
        Self { rooms, adapter }
    }

    fn emit(&self, publisher: u32, number: u32) {
        let to = DynRoom("room".to_owned());
        let sent = self
            .rooms
            .io::<Main>()
            .to(to)
            .emit(Number(publisher, number));
        // Whether Redis has it is not waited for.
        let _ = sent.expect("it is emitted");
    }

    async fn is(&self, wanted: impl Fn(&Health) -> bool) {
        let changes = async {
            let mut health = self.adapter.health();
            while !wanted(&health) {
                health = self.adapter.health_changed(health).await;
            }
        };
        timeout(PATIENCE, changes)
            .await
            .expect("the health changes in time");
    }
}

/// A client that keeps what it needs to come back, as the stock client does.
struct Fan<S = DuplexStream> {
    connection: Client<S>,
    id: String,
    token: String,
    offset: Option<String>,
    /// What it has heard, of each publisher.
    heard: BTreeMap<u64, Vec<u64>>,
}

impl Fan {
    async fn new(server: &Server) -> Self {
        Self::over(Client::open(&server.rooms).await).await
    }

    /// Connects anew, and shows what it has seen; whether it was recovered.
    async fn come_back(&mut self, server: &Server) -> bool {
        self.come_back_over(Client::open(&server.rooms).await).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Fan<S> {
    async fn over(connection: Client<S>) -> Self {
        let mut fan = Self {
            connection,
            id: String::new(),
            token: String::new(),
            offset: None,
            heard: BTreeMap::new(),
        };
        fan.connection.send("40").await;
        fan.greeted().await;
        fan.join().await;
        fan
    }

    async fn join(&mut self) {
        self.connection.send(r#"427["join","room"]"#).await;
        while !self.packet().await.starts_with("437") {}
    }

    async fn come_back_over(&mut self, connection: Client<S>) -> bool {
        self.connection = connection;
        let shown = serde_json::json!({ "pid": self.token, "offset": self.offset });
        self.connection.send(&format!("40{shown}")).await;
        let before = self.id.clone();
        self.greeted().await;
        self.id == before
    }

    async fn greeted(&mut self) {
        let reply = loop {
            let packet = self.packet().await;
            if let Some(reply) = packet.strip_prefix("40") {
                break reply.to_owned();
            }
        };
        let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
        self.id = reply["sid"].as_str().expect("an id").to_owned();
        self.token = reply["pid"].as_str().expect("a token").to_owned();
    }

    /// The next packet. Events are kept.
    async fn packet(&mut self) -> String {
        let packet = timeout(PATIENCE, self.connection.next()).await;
        let packet = packet.expect("a packet in time");
        if let Some(event) = packet.strip_prefix("42") {
            let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
            let of = event[1].as_u64().expect("a publisher");
            let number = event[2].as_u64().expect("a number");
            self.heard.entry(of).or_default().push(number);
            // Without a place where it could not be recorded.
            if let Some(offset) = event[3].as_str() {
                self.offset = Some(offset.to_owned());
            }
        }
        packet
    }

    async fn hears(&mut self, publisher: u64, number: u64) {
        while self.heard.get(&publisher).and_then(|heard| heard.last()) != Some(&number) {
            self.packet().await;
        }
    }
}

#[tokio::test]
async fn a_client_comes_back_on_another_server() {
    let engine = engines::redis::Redis::start().await;
    let (first, second) = (
        Server::start(&engine.url()).await,
        Server::start(&engine.url()).await,
    );
    let mut fan = Fan::new(&first).await;
    first.emit(1, 0);
    fan.hears(1, 0).await;
    // The connection breaks.
    fan.connection = Client::open(&first.rooms).await;
    for number in 1..=10 {
        first.emit(1, number);
    }
    second.emit(2, 0);
    assert!(fan.come_back(&second).await);
    fan.hears(2, 0).await;
    fan.hears(1, 10).await;
    assert_eq!(fan.heard[&1], (0..=10).collect::<Vec<_>>());
    // It is in its rooms again, and nowhere else.
    assert_eq!(fan.connection.ask(r#"["rooms"]"#).await, rooms_of(&fan));
    // And again, since a session is not used up.
    fan.connection = Client::open(&first.rooms).await;
    second.emit(2, 1);
    assert!(fan.come_back(&first).await);
    first.emit(1, 11);
    fan.hears(1, 11).await;
    assert_eq!(fan.heard[&2], [0, 1]);
}

fn rooms_of(fan: &Fan) -> String {
    let mut rooms = vec![fan.id.clone(), "room".to_owned()];
    rooms.sort();
    serde_json::to_string(&[rooms]).expect("JSON")
}

/// The server still believes in the connection, as it does for up to a minute.
#[tokio::test]
async fn who_comes_back_elsewhere_is_no_longer_here() {
    let engine = engines::redis::Redis::start().await;
    let (first, second) = (
        Server::start(&engine.url()).await,
        Server::start(&engine.url()).await,
    );
    let mut fan = Fan::new(&first).await;
    first.emit(1, 0);
    fan.hears(1, 0).await;
    let mut before = std::mem::replace(&mut fan.connection, Client::open(&second.rooms).await);
    assert!(fan.come_back(&second).await);
    timeout(PATIENCE, before.ended())
        .await
        .expect("it is closed in time");
    first.emit(1, 1);
    fan.hears(1, 1).await;
    assert_eq!(fan.heard[&1], [0, 1]);
    let first = first.rooms.io::<Main>();
    assert_eq!(first.count().await, 0);
}

/// It neither stores nor says anything any more, and does not hear that its client has gone.
#[tokio::test]
async fn a_client_comes_back_from_a_server_that_was_cut_off() {
    let engine = engines::redis::Redis::start().await;
    let network = Proxy::start(engine.address()).await;
    let first = Server::start(&url(network.address())).await;
    let second = Server::start(&engine.url()).await;
    let mut fan = Fan::new(&first).await;
    second.emit(2, 0);
    fan.hears(2, 0).await;
    network.stall();
    let mut before = std::mem::replace(&mut fan.connection, Client::open(&second.rooms).await);
    for number in 1..=5 {
        second.emit(2, number);
    }
    assert!(fan.come_back(&second).await);
    second.emit(2, 6);
    fan.hears(2, 6).await;
    assert_eq!(fan.heard[&2], (0..=6).collect::<Vec<_>>());
    // Once it is back, it learns that its client is not there any more.
    network.heal();
    first.is(Health::is_up).await;
    timeout(PATIENCE, before.ended())
        .await
        .expect("it is closed in time");
}

/// What its clients have not got they are told of: their connections end, and they come back as new clients.
#[tokio::test]
async fn clients_of_a_server_that_missed_something_are_told() {
    let engine = engines::redis::Redis::start().await;
    let network = Proxy::start(engine.address()).await;
    let first = Server::start(&url(network.address())).await;
    let second = Server::start(&engine.url()).await;
    let mut fan = Fan::new(&first).await;
    second.emit(2, 0);
    fan.hears(2, 0).await;
    network.refuse();
    network.reset();
    first
        .is(|health| matches!(health, Health::Down { .. }))
        .await;
    let io = second.rooms.io::<Main>();
    for number in 1..=10 {
        let sent = io.emit(Number(2, number)).expect("it is emitted");
        sent.await.expect("Redis has it");
    }
    engine.ask("XTRIM socket.io MAXLEN 3").await;
    network.heal();
    timeout(PATIENCE, fan.connection.ended())
        .await
        .expect("it is closed in time");
    assert!(fan.heard[&2].len() < 11, "it has not got everything");
    fan.connection = Client::open(&first.rooms).await;
    assert!(!fan.come_back(&first).await, "it is told");
    // From here on it misses nothing.
    fan.join().await;
    second.emit(2, 11);
    fan.hears(2, 11).await;
}

#[tokio::test]
async fn after_redis_has_lost_everything_clients_are_new() {
    let engine = engines::redis::Redis::start().await;
    let (first, second) = (
        Server::start(&engine.url()).await,
        Server::start(&engine.url()).await,
    );
    let mut fan = Fan::new(&first).await;
    first.emit(1, 0);
    fan.hears(1, 0).await;
    engine.process().kill();
    first
        .is(|health| matches!(health, Health::Down { .. }))
        .await;
    engine.process().restart();
    engine.ready().await;
    first.is(Health::is_up).await;
    second.is(Health::is_up).await;
    fan.connection = Client::open(&second.rooms).await;
    assert!(!fan.come_back(&second).await, "its place is gone");
    fan.join().await;
    // From here on it can come back again.
    second.emit(2, 0);
    fan.hears(2, 0).await;
    fan.connection = Client::open(&first.rooms).await;
    second.emit(2, 1);
    assert!(fan.come_back(&first).await);
    fan.hears(2, 1).await;
    assert_eq!(fan.heard[&2], [0, 1]);
}

#[tokio::test]
async fn what_is_forged_makes_a_new_client() {
    let engine = engines::redis::Redis::start().await;
    let server = Server::start(&engine.url()).await;
    let mut fan = Fan::new(&server).await;
    server.emit(1, 0);
    fan.hears(1, 0).await;
    let (token, offset) = (fan.token.clone(), fan.offset.clone());
    for (token, offset) in [
        ("{}:fence", offset.as_deref()),
        ("x*", offset.as_deref()),
        ("", offset.as_deref()),
        (&*token, Some("1-1")),
        (&*token, Some("18446744073709551615-18446744073709551615")),
        (&*token, Some("nothing")),
    ] {
        fan.token = token.to_owned();
        fan.offset = offset.map(str::to_owned);
        assert!(!fan.come_back(&server).await, "{token} {offset:?}");
    }
}

/// Two servers emit without a break while clients change between them all the time: each hears each number once and in order,
/// whatever it was in the middle of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_misses_or_repeats_anything_on_the_way() {
    const NUMBERS: u32 = 1_500;
    const FANS: usize = 6;
    let engine = engines::redis::Redis::start().await;
    let servers = [
        Server::start_with(&engine.url(), PATIENCE).await,
        Server::start_with(&engine.url(), PATIENCE).await,
    ];
    let mut fans = Vec::new();
    for number in 0..FANS {
        fans.push(Fan::new(&servers[number % 2]).await);
    }
    let publish = async {
        for number in 0..NUMBERS {
            for (publisher, server) in (0..).zip(&servers) {
                server.emit(publisher, number);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let follow = |number: usize, mut fan: Fan| {
        let servers = &servers;
        async move {
            let mut at = number;
            let is_over = |fan: &Fan| {
                (0..2).all(|of| {
                    let last = fan.heard.get(&of).and_then(|heard| heard.last());
                    last == Some(&u64::from(NUMBERS - 1))
                })
            };
            let mut recovered = 0;
            while !is_over(&fan) {
                // A while here, then away, to the other server or to the same.
                for _ in 0..(20 + 7 * number) {
                    if !is_over(&fan) {
                        fan.packet().await;
                    }
                }
                at += 1 + recovered % 3;
                assert!(
                    fan.come_back(&servers[at % 2]).await,
                    "in time and complete"
                );
                recovered += 1;
            }
            let all: Vec<_> = (0..u64::from(NUMBERS)).collect();
            assert_eq!(fan.heard[&0], all);
            assert_eq!(fan.heard[&1], all);
            recovered
        }
    };
    let follow = (0..).zip(fans).map(|(number, fan)| follow(number, fan));
    let ((), recovered) = tokio::join!(publish, futures_util::future::join_all(follow));
    assert!(recovered.iter().sum::<usize>() > 100, "{recovered:?}");
}

#[tokio::test]
async fn clients_come_back_from_node_and_to_it() {
    let engine = engines::redis::Redis::start().await;
    let ours = Server::start(&engine.url()).await;
    let app = Router::new().layer(ours.rooms.clone());
    let here = server::serve(app).await;
    let peer = Peer::start();
    let node = serde_json::json!({ "adapter": "streams", "redis": engine.port(), "prefix": "socket.io", "recovery": true });
    let node = peer.call("open", node).await;
    let port = node["port"].as_u64().expect("a port");
    let there: SocketAddr = format!("127.0.0.1:{port}").parse().expect("an address");

    let mut fan = Fan::over(Client::dial(here).await).await;
    ours.emit(1, 0);
    fan.hears(1, 0).await;
    fan.connection = Client::dial(there).await;
    ours.emit(1, 1);
    ours.emit(1, 2);
    assert!(
        fan.come_back_over(Client::dial(there).await).await,
        "Node has read our session"
    );
    fan.hears(1, 2).await;
    assert_eq!(fan.heard[&1], [0, 1, 2]);
    // It is Node's now, and in the room.
    ours.emit(1, 3);
    fan.hears(1, 3).await;

    fan.connection = Client::dial(here).await;
    // Node stores it when it has seen the connection end.
    let key = format!("EXISTS sio:session:{}", fan.token);
    let stored = async { while !engine.ask(&key).await.contains(":1") {} };
    timeout(PATIENCE, stored)
        .await
        .expect("it is stored in time");
    ours.emit(1, 4);
    assert!(
        fan.come_back_over(Client::dial(here).await).await,
        "we have read Node's"
    );
    ours.emit(1, 5);
    fan.hears(1, 5).await;
    assert_eq!(fan.heard[&1], [0, 1, 2, 3, 4, 5]);
}

/// The body of `POST /emit`.
#[derive(Deserialize)]
struct Emit {
    room: String,
    events: Vec<String>,
}

async fn emit(io: Io<Main>, Json(Emit { room, events }): Json<Emit>) -> Result<StatusCode, Error> {
    for text in events {
        let bytes = Bytes::from(text.clone());
        io.to(DynRoom::from(&*room))
            .emit(Notice { text, bytes })?
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The cases of `tests/suites/recovery.rs`, which Node's own server passes too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_comes_back() {
    let engine = engines::redis::Redis::start().await;
    let server = Server::start(&engine.url()).await;
    let app = Router::new()
        .route("/emit", post(emit))
        .layer(server.rooms.clone());
    let address = server::serve(app).await;
    let url = format!("http://{address}");
    let suite = move || node::run_file("clients/js", "recovery.mjs", Some(&url));
    tokio::task::spawn_blocking(suite)
        .await
        .expect("the suite passed");
}
