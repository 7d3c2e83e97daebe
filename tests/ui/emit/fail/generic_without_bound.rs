use demo::*;
use rooms_layer::prelude::*;

fn tell<E: Event>(io: Io<App>, user: UserId, event: E) {
    io.to(Room::user(user)).emit(event).ok();
}

fn main() {}
