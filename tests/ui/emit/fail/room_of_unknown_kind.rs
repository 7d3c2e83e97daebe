use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>, room: Room) {
    io.to(room)
        .emit(Renamed {
            id: ProjectId(1),
            name: "x",
        })
        .ok();
}

fn main() {}
