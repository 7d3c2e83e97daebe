use rooms_layer::prelude::*;

#[derive(Event)]
#[event(broadcast)]
struct Plain {
    a: u8,
}

fn f(io: Io<Main>) {
    io.emit(Plain { a: 1 }).ok();
}

fn main() {}
