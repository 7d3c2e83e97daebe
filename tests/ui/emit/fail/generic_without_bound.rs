use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn tell<E: Event>(io: Io<App>, user: UserId, event: E) {
    io.to(Room::user(user)).emit(event).ok();
}

fn main() {}
