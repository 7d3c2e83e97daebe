use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(io: Io<App>, room: Room) {
    io.to(room)
        .emit(Renamed {
            id: ProjectId(1),
            name: "x",
        })
        .ok();
}

fn main() {}
