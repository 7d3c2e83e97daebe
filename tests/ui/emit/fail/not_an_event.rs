use rooms_layer::prelude::*;

struct NoEvent {
    id: u64,
}

fn everyone(io: Io<Main>) {
    io.emit(NoEvent { id: 1 }).ok();
}

fn main() {}
