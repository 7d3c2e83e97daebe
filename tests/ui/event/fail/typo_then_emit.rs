use demo::*;
use rooms_layer::prelude::*;
use serde::Serialize;

#[derive(Event, Serialize)]
#[event(broadcats, to(Room::Project))]
struct Refresh {
    page: u32,
}

fn f(io: Io<Main>, user: UserId) {
    io.emit(Refresh { page: 1 }).ok();
    io.to(Room::user(user)).emit(Refresh { page: 1 }).ok();
}

fn main() {}
