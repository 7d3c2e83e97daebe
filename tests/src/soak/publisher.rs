use super::{
    Board, Random, Soak,
    client::room,
    connection::{Connection, Packet},
};
use serde_json::json;
use std::{io, sync::Arc, time::Duration};
use tokio::time::sleep;

/// What a publisher does.
#[derive(Debug)]
pub(super) struct Plan {
    index: usize,
    port: u16,
    rooms: usize,
    pace: Duration,
    random: Random,
}

impl Plan {
    pub(super) fn new(soak: Soak<'_>, index: usize, port: u16) -> Self {
        Self {
            index,
            port,
            rooms: soak.rooms,
            pace: soak.pace,
            random: Random::new(soak.seed, 1_000_000 + index),
        }
    }
}

/// Has one server publish, in each of its lives under another name.
pub(super) async fn run(mut plan: Plan, board: Arc<Board>) {
    for life in 0.. {
        let name = format!("{}.{life}", plan.index);
        // The server is killed in the middle of anything.
        let _ = publish(&mut plan, &name, &board).await;
        if board.is_stopped() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn publish(plan: &mut Plan, name: &str, board: &Board) -> io::Result<()> {
    let mut control = Connection::open(plan.port, "/control,").await?;
    while !board.is_stopped() {
        // Some are for everybody.
        let room = match plan.random.below(20) {
            0 => String::new(),
            _ => room(plan.random.below(plan.rooms)),
        };
        let count = 1 + plan.random.below(4) as u64;
        let first = board.ask(name, &room, count);
        let run = json!({ "publisher": name, "room": room, "first": first, "count": count });
        let id = control.ask(&json!(["publish", run])).await?;
        match control.packet().await? {
            Packet::Ack { id: of, yes: true } if of == id => board.confirm(name, &room),
            other => return Err(io::Error::other(format!("{other:?}"))),
        }
        sleep(plan.pace).await;
    }
    Ok(())
}
