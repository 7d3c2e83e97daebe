use super::{
    Board, Random, Soak,
    client::room,
    connection::{Connection, Packet},
};
use serde_json::json;
use std::{io, sync::Arc, time::Duration};
use tokio::time::sleep;

/// Has one server publish, in each of its lives under another name.
pub(super) async fn run(soak: Soak, index: usize, port: u16, board: Arc<Board>) {
    let mut random = Random::new(soak.seed, 1_000_000 + index);
    for life in 0.. {
        let name = format!("{index}.{life}");
        // The server is killed in the middle of anything.
        let _ = publish(soak, &name, port, &board, &mut random).await;
        if board.is_stopped() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn publish(
    soak: Soak,
    name: &str,
    port: u16,
    board: &Board,
    random: &mut Random,
) -> io::Result<()> {
    let mut control = Connection::open(port, "/control,").await?;
    while !board.is_stopped() {
        // Some are for everybody.
        let room = match random.below(20) {
            0 => String::new(),
            _ => room(random.below(soak.rooms)),
        };
        let count = 1 + random.below(4) as u64;
        let first = board.ask(name, &room, count);
        let run = json!({ "publisher": name, "room": room, "first": first, "count": count });
        let id = control.ask(&json!(["publish", run])).await?;
        match control.packet().await? {
            Packet::Ack { id: of, yes: true } if of == id => board.confirm(name, &room),
            other => return Err(io::Error::other(format!("{other:?}"))),
        }
        sleep(soak.pace).await;
    }
    Ok(())
}
