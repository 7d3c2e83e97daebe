//! One set of cases for everything that joins servers to a cluster. It prints a table of cases and adapters, and fails when one of its
//! cells fails or is missing.
//!
//! ```sh
//! cargo test -p rooms-tests --test adapters               # all
//! cargo test -p rooms-tests --test adapters -- nats order # the rows and columns whose names have these words in them
//! cargo test -p rooms-tests --test adapters -- faults     # the second table alone
//! ```

mod app;
mod cases;
mod client;
mod cluster;
mod faults;
mod nats;
mod node;
mod redis;
mod rigs;
mod server;
mod table;
mod tap;

use crate::{
    nats::ThroughNats,
    redis::{Mode, OverRedis},
    rigs::{Memory, NodeOnly, Rig},
    table::Table,
};
use rooms_tests::{
    engines::{nats::Nats, redis::Redis},
    peer::Peer,
};
use std::{
    panic,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Panics of what is tested: tasks that panic take nobody with them, and what they did may be done again by others.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics, but for those by which cases fail.
fn count_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let is_ours = |at: &panic::Location<'_>| at.file().starts_with("tests/");
        if !panic.location().is_some_and(is_ours) {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        before(panic);
    }));
}

#[tokio::main]
async fn main() -> ExitCode {
    count_panics();
    let (redis, peer) = (Arc::new(Redis::start().await), Arc::new(Peer::start()));
    let node =
        |name, adapter| -> Box<dyn Rig> { Box::new(NodeOnly::new(name, adapter, &redis, &peer)) };
    let ours =
        |name, mode| -> Box<dyn Rig> { Box::new(OverRedis::ours(name, mode, &redis, &peer)) };
    let mixed =
        |name, mode| -> Box<dyn Rig> { Box::new(OverRedis::mixed(name, mode, &redis, &peer)) };
    let rigs: Vec<Box<dyn Rig>> = vec![
        Box::new(Memory::default()),
        through_nats("nats", 1).await,
        through_jetstream("jetstream", 1).await,
        through_jetstream("jetstream: 3", 3).await,
        ours("redis", Mode::Classic),
        mixed("redis, mixed", Mode::Classic),
        ours("sharded", Mode::Sharded),
        mixed("sharded, mixed", Mode::Sharded),
        ours("streams", Mode::Streams),
        mixed("streams, mixed", Mode::Streams),
        node("node: redis", "classic"),
        node("node: sharded", "sharded"),
        node("node: streams", "streams"),
    ];
    let cases = Table::fill("cases", rigs, cases::all()).await;
    // These break their engines, so they have some of their own.
    let rigs: Vec<Box<dyn Rig>> = vec![
        through_nats("nats", 1).await,
        through_jetstream("jetstream", 1).await,
        Box::new(OverRedis::alone("redis", Mode::Classic, &peer).await),
        Box::new(OverRedis::alone("sharded", Mode::Sharded, &peer).await),
        Box::new(OverRedis::alone("streams", Mode::Streams, &peer).await),
    ];
    let faults = Table::fill("faults", rigs, faults::all()).await;

    if cases.is_empty() && faults.is_empty() {
        println!("there is no such case or adapter");
        return ExitCode::FAILURE;
    }
    // Both, whatever the first says.
    let pass = [cases, faults].map(|table| table.is_empty() || table.report());
    let panics = PANICS.load(Ordering::Relaxed);
    if panics > 0 {
        println!("FAIL  {panics} panics, of which the above tells");
    }
    match pass {
        [true, true] if panics == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn through_nats(name: &'static str, servers: usize) -> Box<dyn Rig> {
    Box::new(ThroughNats::new(name, engines(servers).await))
}

async fn through_jetstream(name: &'static str, servers: usize) -> Box<dyn Rig> {
    Box::new(ThroughNats::new(name, engines(servers).await).with_jetstream())
}

async fn engines(servers: usize) -> Vec<Nats> {
    match servers {
        1 => vec![Nats::start().await],
        _ => Nats::start_cluster(servers).await,
    }
}
