//! Our server under test: rooms-layer on axum, with typed events and handlers, heartbeats and everything else that it has
//! by default.
//!
//! `rooms --port 3000 [--workers 1]`

use axum::{Router, serve::ListenerExt};
use clap::Parser;
use rooms_bench::{by_hand::stamped, clock::SECOND};
use rooms_layer::prelude::*;
use std::{io, net::Ipv4Addr, time::Duration};
use tokio::{net::TcpListener, time::Instant};

#[derive(Parser)]
struct Cli {
    /// Port of 127.0.0.1 to listen on.
    #[arg(long)]
    port: u16,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

#[derive(Room)]
enum Room {
    Bench,
}

#[derive(Event)]
#[event(client, ack = String)]
struct Join;

#[derive(Event)]
#[event(client, ack = String)]
struct Echo(String);

/// `events` events of `bytes` at once.
#[derive(Event)]
#[event(client)]
struct Blast(u32, usize);

/// `rate` events of `bytes` a second, for so many seconds.
#[derive(Event)]
#[event(client)]
struct Pace(u32, usize, u32);

#[derive(Event)]
#[event(server, to(Room::Bench))]
struct Msg<'a>(u32, &'a str);

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room), client(Join, Echo, Blast, Pace), server(Msg<'_>))]
struct Bench;

#[handler(Bench)]
async fn join(socket: Socket<Bench>, _event: Join) -> String {
    socket.join(Room::bench());
    "ok".to_owned()
}

#[handler(Bench)]
async fn echo(Echo(text): Echo) -> String {
    text
}

#[handler(Bench)]
async fn blast(io: Io<Bench>, Blast(events, bytes): Blast) {
    let payload = "x".repeat(bytes);
    for seq in 0..events {
        // Lost events are the load generator's to count.
        io.to(Room::bench()).emit(Msg(seq, &payload)).ok();
    }
}

#[handler(Bench)]
async fn pace(io: Io<Bench>, Pace(rate, bytes, secs): Pace) {
    let began = Instant::now();
    for seq in 0..rate.saturating_mul(secs) {
        let due = u64::from(seq) * SECOND / u64::from(rate.max(1));
        tokio::time::sleep_until(began + Duration::from_nanos(due)).await;
        io.to(Room::bench()).emit(Msg(seq, &stamped(bytes))).ok();
    }
}

fn main() -> io::Result<()> {
    let Cli { port, workers } = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    // In a task, since `block_on` would run the server outside the workers.
    runtime.block_on(async { tokio::spawn(serve(port)).await.map_err(io::Error::other)? })
}

async fn serve(port: u16) -> io::Result<()> {
    let namespace = Bench::serve(()).on(join).on(echo).on(blast).on(pace);
    let app = Router::new().layer(RoomsLayer::new().namespace(namespace));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    axum::serve(listener, app).await
}
