//! Bare tokio-tungstenite: a task and a channel per client, flushed once per drained channel.

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
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    port: u16,
    /// Read buffer of each client [default: the library's 128 KiB].
    #[arg(long)]
    read_buffer: Option<usize>,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    // In a task, since `block_on` would run the server outside the one worker.
    runtime()?.block_on(async { tokio::spawn(serve(cli)).await.map_err(io::Error::other)? })
}

async fn serve(Cli { port, read_buffer }: Cli) -> io::Result<()> {
    let listener = listener(port).await?;
    let mut config = WebSocketConfig::default();
    if let Some(bytes) = read_buffer {
        config = config.read_buffer_size(bytes);
    }
    let room = Room::default();
    for id in 0.. {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true)?;
        tokio::spawn(client(stream, config, id, room.clone()));
    }
    Ok(())
}

async fn client(
    stream: TcpStream,
    config: WebSocketConfig,
    id: u64,
    room: Room<Utf8Bytes>,
) -> Option<()> {
    let mut socket = accept_async_with_config(stream, Some(config)).await.ok()?;
    let (sender, mut receiver) = unbounded_channel();
    socket.send(Message::text(OPEN)).await.ok()?;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => answer(&text, id, &sender, &room),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                _ => {}
            },
            Some(text) = receiver.recv() => {
                let mut next = Some(text);
                while let Some(text) = next {
                    socket.feed(Message::Text(text)).await.ok();
                    next = receiver.try_recv().ok();
                }
                socket.flush().await.ok();
            }
        }
    }
    room.leave(id);
    socket.close(None).await.ok()
}
