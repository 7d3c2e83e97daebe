use demo::*;
use rooms_layer::prelude::*;

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
