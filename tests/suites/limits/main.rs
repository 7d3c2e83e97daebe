//! What a server bears: clients that do not read, clients that send nonsense, and what its log says of them.
//!
//! A program of its own, since its memory is looked at.

mod hostile;
mod logs;
mod slow;

use axum::Router;
use rooms_layer::prelude::*;
use serde::{Deserialize, Serialize};
use std::{fs, net::SocketAddr};
use tokio::sync::{Mutex, MutexGuard};

/// What is told to everybody.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast)]
struct Said(String);

/// What a client asks to know that the server is there.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = u32)]
struct Double(u32);

async fn serve(rooms: &RoomsLayer) -> SocketAddr {
    rooms_tests::server::serve(Router::new().layer(rooms.clone())).await
}

/// The tests of this program run one after the other: they share the memory that they look at.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// The memory of this process that is in use, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: usize = kib.and_then(|kib| kib.parse().ok()).expect("a number");
    kib * 1024
}

const MIB: usize = 1024 * 1024;
