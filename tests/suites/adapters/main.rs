//! One set of cases for everything that joins servers to a cluster. It prints a table of cases and adapters, and fails when one of its
//! cells fails or is missing.
//!
//! ```sh
//! cargo test -p rooms-tests --test adapters               # all
//! cargo test -p rooms-tests --test adapters -- nats order # the rows and columns whose names have these words in them
//! ```

mod cases;
mod client;
mod cluster;
mod rigs;
mod same_process;
mod server;
mod table;
mod tap;

use crate::{
    rigs::{Memory, NodeOnly, Rig, ThroughNats},
    table::Table,
};
use rooms_tests::{
    engines::{nats::Nats, redis::Redis},
    peer::Peer,
};
use std::{process::ExitCode, sync::Arc};

#[tokio::main]
async fn main() -> ExitCode {
    let (redis, peer) = (Arc::new(Redis::start().await), Arc::new(Peer::start()));
    let node =
        |name, adapter| -> Box<dyn Rig> { Box::new(NodeOnly::new(name, adapter, &redis, &peer)) };
    let (nats, three) = (Nats::start().await, Nats::start_cluster(3).await);
    let jetstream = Nats::start().await;
    let rigs: Vec<Box<dyn Rig>> = vec![
        Box::new(Memory::default()),
        Box::new(ThroughNats::new("nats", vec![nats])),
        Box::new(ThroughNats::new("jetstream", vec![jetstream]).with_jetstream()),
        Box::new(ThroughNats::new("jetstream: 3", three).with_jetstream()),
        node("node: redis", "classic"),
        node("node: sharded", "sharded"),
        node("node: streams", "streams"),
    ];
    Table::fill(rigs, cases::all()).await.report()
}
