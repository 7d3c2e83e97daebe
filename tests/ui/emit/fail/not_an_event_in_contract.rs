use demo::*;
use rooms_layer::prelude::*;

struct NoEvent {
    id: u64,
}

fn room(io: Io<App>) {
    io.to(Room::lobby()).emit(NoEvent { id: 1 }).ok();
}

fn main() {}
