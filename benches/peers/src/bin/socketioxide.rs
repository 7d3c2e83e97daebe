//! socketioxide on axum.

use axum::serve::ListenerExt;
use clap::Parser;
use rooms_bench_peers::{Pace, by_hand::stamped, listener, runtime, seat};
use socketioxide::{
    ParserConfig, SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use std::io;

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    port: u16,
    /// Packets that may wait for one client [default: the library's 128].
    #[arg(long)]
    buffer: Option<usize>,
    /// What clients speak: json or msgpack.
    #[arg(long, default_value = "json", value_parser = ["json", "msgpack"])]
    parser: String,
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    // In a task, since `block_on` would run the server outside the one worker.
    runtime()?.block_on(async { tokio::spawn(serve(cli)).await.map_err(io::Error::other)? })
}

async fn serve(
    Cli {
        port,
        buffer,
        parser,
    }: Cli,
) -> io::Result<()> {
    let mut builder = SocketIo::builder();
    if parser == "msgpack" {
        builder = builder.with_parser(ParserConfig::msgpack());
    }
    if let Some(packets) = buffer {
        builder = builder.max_buffer_size(packets);
    }
    let (layer, io) = builder.build_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("join", async |socket: SocketRef, ack: AckSender| {
            socket.join("bench");
            ack.send("ok").ok();
        });
        socket.on("mute", async |socket: SocketRef, ack: AckSender| {
            socket.join("bench");
            socket.join("muted");
            ack.send("ok").ok();
        });
        socket.on(
            "sit",
            async |socket: SocketRef, Data::<Vec<u32>>(rooms), ack: AckSender| {
                for room in rooms {
                    socket.join(format!("seat:{room}"));
                }
                ack.send("ok").ok();
            },
        );
        socket.on("hop", async |socket: SocketRef, ack: AckSender| {
            socket.join("bench");
            socket.leave("bench");
            ack.send("ok").ok();
        });
        socket.on("echo", async |Data::<String>(text), ack: AckSender| {
            ack.send(&text).ok();
        });
        socket.on("blast", blast);
        socket.on("pace", pace);
    });
    let listener = listener(port).await?.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, axum::Router::new().layer(layer)).await
}

async fn blast(io: SocketIo, Data((events, bytes)): Data<(u32, usize)>) {
    let payload = "x".repeat(bytes);
    for seq in 0..events {
        // Lost events are the load generator's to count.
        io.to("bench").emit("msg", &(seq, &payload)).await.ok();
    }
}

async fn pace(io: SocketIo, Data((rate, bytes, secs, to)): Data<(u32, usize, u32, String)>) {
    let mut pace = Pace::new(rate, secs);
    while let Some(seq) = pace.next().await {
        let payload = stamped(bytes);
        let event = (seq, &payload);
        let sent = match to.as_str() {
            "all" => io.emit("msg", &event).await,
            "except" => io.to("bench").except("muted").emit("msg", &event).await,
            "seats" => {
                let room = format!("seat:{}", seat(seq));
                io.to(room).emit("msg", &event).await
            }
            "binary" => {
                let bytes = bytes::Bytes::from(payload);
                io.to("bench").emit("bin", &(seq, bytes)).await
            }
            _ => io.to("bench").emit("msg", &event).await,
        };
        sent.ok();
    }
}
