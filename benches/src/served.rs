//! The application that our server under test serves: typed events and handlers, and all else as it is by default.

use crate::{
    by_hand::stamped,
    clock::SECOND,
    protocol::{To, seat},
};
use rooms_layer::{Adapter, Config, Parsers, prelude::*};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Room)]
enum Room {
    Bench,
    Muted,
    Seat(u32),
}

#[derive(Event)]
#[event(client, ack = String)]
struct Join;

#[derive(Event)]
#[event(client, ack = String)]
struct Mute;

#[derive(Event)]
#[event(client, ack = String)]
struct Sit(Vec<u32>);

#[derive(Event)]
#[event(client, ack = String)]
struct Hop;

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
struct Pace(u32, usize, u32, To);

#[derive(Event)]
#[event(server, broadcast, to(Room::*))]
struct Msg<'a>(u32, &'a str);

#[derive(Event)]
#[event(server, to(Room::Bench))]
struct Bin(u32, Bytes);

/// The only namespace.
#[derive(Debug, Namespace)]
#[namespace(path = "/", rooms(Room))]
#[namespace(client(Join, Mute, Sit, Hop, Echo, Blast, Pace), server(Msg<'_>, Bin))]
pub struct Bench;

fn ok() -> String {
    "ok".to_owned()
}

#[handler(Bench)]
async fn join(socket: Socket<Bench>, _event: Join) -> String {
    socket.join(Room::bench());
    ok()
}

#[handler(Bench)]
async fn mute(socket: Socket<Bench>, _event: Mute) -> String {
    socket.join(Room::bench());
    socket.join(Room::muted());
    ok()
}

#[handler(Bench)]
async fn sit(socket: Socket<Bench>, Sit(rooms): Sit) -> String {
    for room in rooms {
        socket.join(Room::seat(room));
    }
    ok()
}

#[handler(Bench)]
async fn hop(socket: Socket<Bench>, _event: Hop) -> String {
    socket.join(Room::bench());
    socket.leave(Room::bench());
    ok()
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
async fn pace(io: Io<Bench>, Pace(rate, bytes, secs, to): Pace) {
    let began = Instant::now();
    for seq in 0..rate.saturating_mul(secs) {
        let due = u64::from(seq) * SECOND / u64::from(rate.max(1));
        tokio::time::sleep_until(began + Duration::from_nanos(due)).await;
        let payload = stamped(bytes);
        let event = Msg(seq, &payload);
        let sent = match to {
            To::Room => io.to(Room::bench()).emit(event),
            To::All => io.emit(event),
            To::Except => io.to(Room::bench()).except(Room::muted()).emit(event),
            To::Seats => io.to(Room::seat(seat(seq))).emit(event),
            To::Binary => io.to(Room::bench()).emit(Bin(seq, payload.into())),
        };
        sent.ok();
    }
}

/// The application, ready to be put around a service.
pub fn rooms(parsers: Parsers) -> RoomsLayer {
    on(RoomsLayer::new(), parsers)
}

/// The same on a layer that is there already, such as one with an adapter.
pub fn on<A: Adapter>(rooms: RoomsLayer<A>, parsers: Parsers) -> RoomsLayer<A> {
    let namespace = Bench::serve(())
        .on(join)
        .on(mute)
        .on(sit)
        .on(hop)
        .on(echo)
        .on(blast)
        .on(pace);
    rooms
        .config(Config::default().parsers(parsers))
        .namespace(namespace)
}
