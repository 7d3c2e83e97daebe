//! Sentinels and Clusters: masters that die, slots that move.

use crate::{Mode, Server, hears};
use rooms_layer::rooms::adapter::Health;
use rooms_redis::Redis;
use rooms_tests::engines::redis::{Cluster, Sentinel};
use std::{process::Command, time::Duration};

#[tokio::test]
async fn servers_follow_the_master_that_sentinels_name() {
    let engines = Sentinel::start().await;
    let urls: Vec<_> = engines
        .watchers
        .iter()
        .map(|watcher| watcher.url())
        .collect();
    let redis = || {
        let redis = Redis::sentinel(urls.iter().map(String::as_str), Sentinel::MASTER);
        redis.expect("URLs").timeout(Duration::from_secs(1))
    };
    let (first, second) = (
        Server::start(Mode::Classic, redis()).await,
        Server::start(Mode::Classic, redis()).await,
    );
    let mut client = second.client_in("room").await;
    hears(&first.io(), "room", &mut client).await;
    engines.servers[0].process().kill();
    first
        .is(|health| matches!(health, Health::Down { .. }))
        .await;
    first.is(Health::is_up).await;
    second.is(Health::is_up).await;
    hears(&first.io(), "room", &mut client).await;
}

/// One Cluster for all of it, since it takes seconds to start.
#[tokio::test]
async fn servers_are_joined_by_a_cluster_whose_slots_move_and_whose_masters_die() {
    let engines = Cluster::start().await;
    let urls: Vec<_> = engines.servers.iter().map(|server| server.url()).collect();
    // Each begins with another node.
    let redis = |first: usize| {
        let urls = urls[first..].iter().chain(&urls[..first]);
        let redis = Redis::cluster(urls.map(String::as_str));
        redis.expect("URLs").timeout(Duration::from_secs(2))
    };
    let mut pairs = Vec::new();
    for mode in [Mode::Classic, Mode::Sharded, Mode::Streams] {
        let (first, second) = (
            Server::start(mode, redis(0)).await,
            Server::start(mode, redis(1)).await,
        );
        let mut client = second.client_in("room").await;
        hears(&first.io(), "room", &mut client).await;
        // All answer, and nobody is missing who is there.
        let found = first.io().fetch_sockets().await.expect("nobody is missing");
        assert_eq!(found.len(), 1, "{mode:?}");
        pairs.push((first, second, client));
    }

    // The slot of the room's channel gets another master, and the subscription goes with it.
    let slot = slot_of(&engines, "socket.io#/#room#").await;
    move_slot(&engines, slot).await;
    for (first, _, client) in &mut pairs {
        hears(&first.io(), "room", client).await;
    }

    engines.servers[0].process().kill();
    for (first, _, client) in &mut pairs {
        hears(&first.io(), "room", client).await;
    }
}

async fn slot_of(engines: &Cluster, channel: &str) -> u16 {
    let answer = engines.servers[0]
        .ask(&format!("CLUSTER KEYSLOT {channel}"))
        .await;
    answer
        .trim()
        .trim_start_matches(':')
        .parse()
        .expect("a number")
}

/// Moves an empty slot from the master that has it to the next one.
async fn move_slot(engines: &Cluster, slot: u16) {
    let masters = &engines.servers[..3];
    let mut ids = Vec::new();
    let mut owner = None;
    for (number, master) in masters.iter().enumerate() {
        let id = cli(master.port(), &["CLUSTER", "MYID"]);
        let nodes = cli(master.port(), &["CLUSTER", "NODES"]);
        let own = nodes
            .lines()
            .find(|line| line.contains("myself"))
            .expect("itself");
        let mut ranges = own.split_whitespace().skip(8);
        let has = |range: &str| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let bound = |text: &str| text.parse::<u16>().ok();
            Some(bound(first)? <= slot && slot <= bound(last)?)
        };
        if ranges.any(|range| has(range).unwrap_or_default()) {
            owner = Some(number);
        }
        ids.push(id.trim().to_owned());
    }
    let owner = owner.expect("some master has it");
    let heir = (owner + 1) % 3;
    let slot = slot.to_string();
    cli(
        masters[heir].port(),
        &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[owner]],
    );
    cli(
        masters[owner].port(),
        &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[heir]],
    );
    for master in [heir, owner, (owner + 2) % 3] {
        cli(
            masters[master].port(),
            &["CLUSTER", "SETSLOT", &slot, "NODE", &ids[heir]],
        );
    }
}

fn cli(port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    let output = command
        .args(["-p", &port.to_string()])
        .args(arguments)
        .output();
    let output = output.expect("redis-cli is missing: run tests/setup.sh");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
