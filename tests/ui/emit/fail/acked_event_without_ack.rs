use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>) {
    io.to(Room::project(ProjectId(1)))
        .emit(ConfirmDelete { id: ProjectId(1) })
        .ok();
}

fn main() {}
