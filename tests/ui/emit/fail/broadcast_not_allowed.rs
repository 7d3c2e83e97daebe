use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(io: Io<App>) {
    io.emit(Renamed {
        id: ProjectId(1),
        name: "x",
    })
    .ok();
}

fn main() {}
