use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(io: Io<App>, u: UserId) {
    io.to(Room::project(ProjectId(1)))
        .to(Room::user(u))
        .emit(Renamed {
            id: ProjectId(1),
            name: "x",
        })
        .ok();
}

fn main() {}
