//! Clusters whose servers are killed under load, in seconds. The long forms are `tests/src/bin/soak.rs`.

use rooms_tests::{
    engines::{nats::Nats, redis::Redis},
    soak::{Fire, Soak},
};
use std::{path::Path, time::Duration};

const SERVER: &str = env!("CARGO_BIN_EXE_cluster-server");

/// Whether clients hear everything once and in order.
async fn soak(adapter: &str, engine: &str) {
    let soak = Soak {
        servers: 4,
        sockets: 80,
        rooms: 8,
        deliveries: 20_000,
        kills: 2,
        pace: Duration::from_millis(20),
        seed: 7,
    };
    let report = soak.run(Path::new(SERVER), adapter, engine).await;
    println!("{adapter}: {report:?}");
    assert!(report.deliveries >= 20_000, "{report:?}");
    let wrong = (report.lost, report.doubled, report.misordered);
    assert_eq!(wrong, (0, 0, 0), "{adapter}: {report:?}");
    // Servers were really killed, under clients of theirs.
    assert!(report.kills == 2 && report.outages > 0, "{report:?}");
    assert!(report.moves > 0, "{report:?}");
}

#[tokio::test]
async fn classic_loses_doubles_and_reorders_nothing_but_in_outages() {
    let engine = Redis::start().await;
    soak("classic", &engine.url()).await;
}

#[tokio::test]
async fn sharded_loses_doubles_and_reorders_nothing_but_in_outages() {
    let engine = Redis::start().await;
    soak("sharded", &engine.url()).await;
}

#[tokio::test]
async fn streams_lose_double_and_reorder_nothing_but_in_outages() {
    let engine = Redis::start().await;
    soak("streams", &engine.url()).await;
}

#[tokio::test]
async fn nats_loses_doubles_and_reorders_nothing_but_in_outages() {
    let engine = Nats::start().await;
    soak("nats", &engine.url()).await;
}

/// Whether clients that were recovered have missed nothing.
async fn fire(adapter: &str, engine: &str) {
    let fire = Fire {
        servers: 2,
        clients: 40,
        rate: 200,
        seconds: 5,
        drop_every: 100,
        kill_every: 1500,
        seed: 7,
    };
    let outcome = fire.run(&[SERVER, adapter, engine]).await;
    println!("{adapter}: {outcome:?}");
    let wrong = (outcome.lost, outcome.doubled, outcome.misordered);
    assert_eq!(wrong, (0, 0, 0), "{outcome:?}");
    assert_eq!(outcome.connected, fire.clients, "{outcome:?}");
    assert!(outcome.kills > 0 && outcome.recovered > 0, "{outcome:?}");
}

#[tokio::test]
async fn who_is_recovered_from_streams_has_missed_nothing() {
    let engine = Redis::start().await;
    fire("streams", &engine.url()).await;
}

#[tokio::test]
async fn who_is_recovered_from_jetstream_has_missed_nothing() {
    let engine = Nats::start().await;
    fire("jetstream", &engine.url()).await;
}
