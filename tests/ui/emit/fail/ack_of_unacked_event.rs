use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>) {
    io.to(Room::project(ProjectId(1)))
        .emit_with_ack(Renamed {
            id: ProjectId(1),
            name: "x",
        })
        .ok();
}

fn main() {}
