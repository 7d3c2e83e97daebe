//! Clusters whose servers are harmed under load, in seconds. The long forms are `tests/src/bin/soak.rs`.

use rooms_tests::{
    engines::{nats::Nats, redis::Redis},
    soak::{Fire, Harm, Soak},
};
use std::{path::Path, time::Duration};

const SERVER: &str = env!("CARGO_BIN_EXE_cluster-server");

/// How long servers wait for an answer and for a sign of life.
const SILENCE: &str = "ROOMS_SILENCE_MILLIS=1000";

/// The stop is longer than that.
const STOP: Harm = Harm::Stop(Duration::from_millis(2_500));

/// Whether clients hear everything once and in order.
async fn soak(adapter: &str, engine: &str) {
    let rough = [Harm::Kill, Harm::Replace, Harm::Kill, Harm::Replace];
    let gentle = [STOP, Harm::Clock, Harm::Clock];
    for harms in [&rough[..], &gentle] {
        let soak = Soak {
            servers: 4,
            sockets: 80,
            rooms: 8,
            deliveries: 20_000,
            harms,
            environment: &[SILENCE],
            pace: Duration::from_millis(20),
            seed: 7,
        };
        let report = soak.run(&[Path::new(SERVER)], adapter, engine).await;
        println!("{adapter}: {report:?}");
        assert!(report.deliveries >= 20_000, "{report:?}");
        let wrong = (report.lost, report.doubled, report.misordered);
        assert_eq!(wrong, (0, 0, 0), "{adapter}: {report:?}");
        // Servers were really harmed, under clients of theirs.
        assert_eq!(report.harms, harms.len() as u64, "{report:?}");
        assert_eq!(report.outages > 0, harms == rough, "{report:?}");
        assert!(report.moves > 0, "{report:?}");
    }
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
    let rough = [Harm::Kill];
    let gentle = [STOP, Harm::Clock, Harm::Clock, Harm::Replace, Harm::Replace];
    for (harms, seconds, harm_every) in [(&rough[..], 5, 1_500), (&gentle, 8, 500)] {
        let fire = Fire {
            servers: 2,
            clients: 40,
            rate: 200,
            seconds,
            drop_every: 100,
            harms,
            harm_every,
            seed: 7,
        };
        let outcome = fire.run(&["env", SILENCE, SERVER, adapter, engine]).await;
        println!("{adapter}: {outcome:?}");
        let wrong = (outcome.lost, outcome.doubled, outcome.misordered);
        assert_eq!(wrong, (0, 0, 0), "{outcome:?}");
        assert_eq!(outcome.connected, fire.clients, "{outcome:?}");
        assert!(outcome.recovered > 0, "{outcome:?}");
        assert!(outcome.harms >= harms.len() as u64, "{outcome:?}");
        assert_eq!(outcome.fresh, 0, "nobody had to begin anew: {outcome:?}");
    }
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

/// What is counted: a server that loses one of its events, or says one twice, or two in the wrong order, is found out.
#[tokio::test]
async fn a_server_that_does_wrong_is_found_out() {
    let engine = Redis::start().await;
    for (wrong, expected) in [
        ("ROOMS_WRONG=lose", [true, false, false]),
        ("ROOMS_WRONG=double", [false, true, false]),
        // The later one is there, and the one before it missed, until that comes.
        ("ROOMS_WRONG=swap", [true, false, true]),
    ] {
        let soak = Soak {
            servers: 1,
            sockets: 10,
            rooms: 2,
            deliveries: 1_000,
            harms: &[],
            environment: &[wrong],
            pace: Duration::from_millis(2),
            seed: 7,
        };
        let report = soak
            .run(&[Path::new(SERVER)], "streams", &engine.url())
            .await;
        let found = [report.lost, report.doubled, report.misordered].map(|count| count > 0);
        assert_eq!(found, expected, "{wrong}: {report:?}");

        let fire = Fire {
            servers: 1,
            clients: 5,
            rate: 200,
            seconds: 1,
            drop_every: 2_000,
            harms: &[],
            harm_every: 1_000,
            seed: 7,
        };
        let engine = engine.url();
        let outcome = fire.run(&["env", wrong, SERVER, "streams", &engine]).await;
        let found = [outcome.lost, outcome.doubled, outcome.misordered].map(|count| count > 0);
        // One that comes late is not lost here.
        let expected = [expected[0] && !expected[2], expected[1], expected[2]];
        assert_eq!(found, expected, "{wrong}: {outcome:?}");
    }
}
