//! How often an engine delivers a broadcast to one room: to the servers with members there and to no others. By the engine's own
//! count, which is why each test has one for itself.

use rooms_layer::{Adapter, prelude::*, test::Client};
use rooms_nats::Nats;
use rooms_redis::{Classic, Redis, Sharded};
use rooms_tests::engines;
use serde::{Deserialize, Serialize};
use std::{iter::zip, time::Duration};
use tokio::time::timeout;

/// How long anything that must come may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many servers there are. The first one emits.
const SERVERS: usize = 4;
/// How many broadcasts are counted, and how long they are: so long that all else that an engine sends is little beside them.
const EVENTS: usize = 20;
const LENGTH: usize = 20_000;

#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, to(dynamic))]
struct Said(String);

/// Comes to everybody, behind all that was emitted before.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast)]
struct Over;

#[tokio::test]
async fn redis_delivers_what_is_sharded_to_servers_with_members() {
    let engine = engines::redis::Redis::start().await;
    let mut adapters = Vec::new();
    for _ in 0..SERVERS {
        let redis = Redis::standalone(&engine.url()).expect("a URL");
        adapters.push(Sharded::connect(redis).await.expect("Redis is there"));
    }
    let found = deliveries(adapters, async || engine.sent().await).await;
    assert_eq!(
        found,
        [0, 1, 2, 3, 4],
        "by the number of servers with members"
    );
}

#[tokio::test]
async fn nats_delivers_to_other_servers_with_members() {
    let engine = engines::nats::Nats::start().await;
    let mut adapters = Vec::new();
    for _ in 0..SERVERS {
        adapters.push(Nats::connect(engine.url()).await.expect("NATS is there"));
    }
    let found = deliveries(adapters, async || engine.sent().await).await;
    // Where all have members, so has the one that emits, and NATS does not bring it what it has said itself.
    assert_eq!(
        found,
        [0, 1, 2, 3, 3],
        "by the number of servers with members"
    );
}

/// What the others save. It shows too that these tests can count.
#[tokio::test]
async fn redis_delivers_what_is_classic_to_all_servers() {
    let engine = engines::redis::Redis::start().await;
    let mut adapters = Vec::new();
    for _ in 0..SERVERS {
        let redis = Redis::standalone(&engine.url()).expect("a URL");
        adapters.push(Classic::connect(redis).await.expect("Redis is there"));
    }
    let found = deliveries(adapters, async || engine.sent().await).await;
    assert_eq!(found, [4; 5], "by the number of servers with members");
}

/// How often the engine delivers a broadcast to a room without members, to one with members on the last server, on the last
/// two, and so on up to all. `sent` tells how many bytes it has sent.
async fn deliveries<A: Adapter>(
    adapters: Vec<A>,
    sent: impl AsyncFn() -> u64,
) -> [usize; SERVERS + 1] {
    let servers: Vec<_> = adapters.into_iter().map(RoomsLayer::with_adapter).collect();
    let mut clients = Vec::new();
    for (server, number) in zip(&servers, 0..) {
        let client = Client::<Main>::connect(server, ()).await;
        let client = client.expect("it is let in");
        for members in 1..=SERVERS {
            if number + members >= SERVERS {
                let joined = client.server_socket().join(room(members));
                joined.await.expect("the others know");
            }
        }
        clients.push(client);
    }
    let io = servers[0].io::<Main>();
    over(&io, &mut clients).await;
    let mut found = [0; SERVERS + 1];
    for (members, found) in found.iter_mut().enumerate() {
        let before = sent().await;
        for _ in 0..EVENTS {
            let said = io.to(room(members)).emit(Said("x".repeat(LENGTH)));
            said.expect("an event").await.expect("the engine has it");
        }
        over(&io, &mut clients).await;
        let bytes = sent().await - before;
        let times = bytes as f64 / (EVENTS * LENGTH) as f64;
        *found = times.round() as usize;
        let rest = (times - *found as f64).abs();
        assert!(
            rest < 0.2,
            "{times} deliveries to {members} are no number of them"
        );
    }
    found
}

fn room(members: usize) -> DynRoom {
    DynRoom(format!("on {members} servers"))
}

/// Waits until every server has got what was emitted.
async fn over(io: &Io<Main>, clients: &mut [Client<Main>]) {
    let told = io.emit(Over).expect("an event");
    told.await.expect("the engine has it");
    for client in clients {
        let came = timeout(PATIENCE, client.until::<Over>()).await;
        came.expect("all servers hear what is for everybody");
    }
}
