//! Bare tokio-websockets: a task and a channel per client, flushed once per drained channel.

use bytes::Bytes;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use rooms_bench_peers::{
    by_hand::OPEN,
    listener,
    room::{Room, answer},
    runtime,
};
use std::io;
use tokio::{net::TcpStream, sync::mpsc::unbounded_channel};
use tokio_websockets::{Message, Payload, ServerBuilder};

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    port: u16,
}

fn main() -> io::Result<()> {
    let Cli { port } = Cli::parse();
    // In a task, since `block_on` would run the server outside the one worker.
    runtime()?.block_on(async { tokio::spawn(serve(port)).await.map_err(io::Error::other)? })
}

async fn serve(port: u16) -> io::Result<()> {
    let listener = listener(port).await?;
    let room = Room::default();
    for id in 0.. {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true)?;
        tokio::spawn(client(stream, id, room.clone()));
    }
    Ok(())
}

async fn client(stream: TcpStream, id: u64, room: Room<Bytes>) -> Option<()> {
    let (_, mut socket) = ServerBuilder::new().accept(stream).await.ok()?;
    let (sender, mut receiver) = unbounded_channel::<Bytes>();
    socket.send(Message::text(OPEN)).await.ok()?;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) if message.is_close() => break,
                Some(Ok(message)) => {
                    if let Some(text) = message.as_text() {
                        answer(text, id, &sender, &room);
                    }
                }
                Some(Err(_)) | None => break,
            },
            Some(text) = receiver.recv() => {
                let mut next = Some(text);
                while let Some(text) = next {
                    socket.feed(Message::text(Payload::from(text))).await.ok();
                    next = receiver.try_recv().ok();
                }
                socket.flush().await.ok();
            }
        }
    }
    room.leave(id);
    socket.close().await.ok()
}
