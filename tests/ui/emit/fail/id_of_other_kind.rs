use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>, u: UserId) {
    io.to(Room::project(u)).emit(CursorMoved(0., 0.)).ok();
}

fn main() {}
