use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>) {
    io.emit(Renamed {
        id: ProjectId(1),
        name: "x",
    })
    .ok();
}

fn main() {}
