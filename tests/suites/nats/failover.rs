//! Three servers of NATS, of which one dies.

use crate::{
    PATIENCE, member, room, said,
    sessions::{Fan, stores},
};
use rooms_layer::{Adapter, RoomsLayer, prelude::*, rooms::adapter::Health};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig, Nats, NatsConfig};
use rooms_tests::engines;
use std::time::Duration;
use tokio::time::timeout;

/// Where a server of ours finds all servers of NATS, beginning with this one.
fn urls(engines: &[engines::nats::Nats], first: usize) -> Vec<String> {
    let all = engines.iter().cycle().skip(first).take(engines.len());
    all.map(engines::nats::Nats::url).collect()
}

/// Tries the servers in their order.
fn in_order() -> ConnectOptions {
    ConnectOptions::new()
        .retain_servers_order()
        .ignore_discovered_servers()
}

fn impatient() -> NatsConfig {
    let mut config = NatsConfig::default();
    (config.heartbeat, config.silence) = (Duration::from_millis(300), Duration::from_secs(2));
    config
}

async fn is_up(adapter: &impl Adapter, up: bool) {
    let changes = async {
        let mut health = adapter.health();
        while health.is_up() != up {
            health = adapter.health_changed(health).await;
        }
        assert_ne!(health, Health::Closed);
    };
    timeout(PATIENCE, changes)
        .await
        .expect("it changes in time");
}

#[tokio::test]
async fn servers_go_on_at_another_server_of_nats() {
    let engines = engines::nats::Nats::start_cluster(3).await;
    let mut joined = Vec::new();
    for number in 0..3 {
        let nats = Nats::connect_with(in_order(), urls(&engines, number), impatient()).await;
        let nats = nats.expect("NATS is there");
        joined.push((RoomsLayer::with_adapter(nats.clone()), nats));
    }
    let mut members = Vec::new();
    for (rooms, _) in &joined {
        members.push(member(rooms, "a").await);
    }
    engines[0].process().kill();
    is_up(&joined[0].1, false).await;
    is_up(&joined[0].1, true).await;
    for (number, (rooms, _)) in joined.iter().enumerate() {
        // The servers of NATS tell each other of subscriptions a moment later.
        let io = rooms.io::<Main>();
        let all_hear = async {
            for attempt in 0.. {
                let text = format!("{number}.{attempt}");
                let sent = io.to(room("a")).emit(said(text.clone())).expect("open");
                sent.await.expect("NATS is there");
                let mut heard = 0;
                for member in &mut members {
                    let hears = async { while member.expect::<crate::Said>().await.0 != text {} };
                    let hears = timeout(Duration::from_millis(200), hears);
                    heard += usize::from(hears.await.is_ok());
                }
                if heard == 3 {
                    return;
                }
            }
        };
        timeout(PATIENCE, all_hear).await.expect("all hear all");
    }
}

#[tokio::test]
async fn nothing_is_lost_with_the_leader_of_the_log() {
    const EVENTS: u32 = 60;
    let engines = engines::nats::Nats::start_cluster(3).await;
    let mut joined = Vec::new();
    for number in 0..2 {
        let mut config = JetStreamConfig::default();
        (config.nats, config.replicas) = (impatient(), 3);
        config.max_bytes = 1024 * 1024;
        let nats = JetStream::connect_with(in_order(), urls(&engines, number), config).await;
        let nats = nats.expect("JetStream is there");
        let rooms = RoomsLayer::with_adapter(nats.clone()).recovery(Default::default());
        joined.push((rooms, nats));
    }
    let [(first, _), (second, second_nats)] = &joined[..] else {
        unreachable!("there are two")
    };
    let mut listening = [Fan::new(first).await, Fan::new(second).await];

    let (context, [log, _]) = stores(engines[2].url()).await;
    let leader = async |name: &str| {
        let stream = context.get_stream(name).await.ok()?;
        stream.get_info().await.ok()?.cluster?.leader
    };
    let victim = leader(&log).await.expect("there is one");
    let index: usize = victim
        .trim_start_matches("member-")
        .parse()
        .expect("a number");
    for number in 0..EVENTS {
        if number == EVENTS / 2 {
            engines[index].process().kill();
        }
        // What is refused is tried again, as an application would that must not lose anything.
        let recorded = async {
            loop {
                let to = [&listening[0], &listening[1]].map(|fan| room(&fan.id));
                let sent = second.io::<Main>().to(to).emit(said(number.to_string()));
                if sent.expect("open").await.is_ok() {
                    return;
                }
                is_up(second_nats, true).await;
            }
        };
        timeout(PATIENCE, recorded).await.expect("it is recorded");
    }
    // Also where the consumer of a server was at the victim.
    for fan in &mut listening {
        for number in 0..EVENTS {
            assert_eq!(fan.hears().await, number.to_string());
        }
    }
}
