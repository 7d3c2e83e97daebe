use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>, renamed: Renamed<'_>) {
    io.to(Room::project(renamed.id)).emit(&renamed).ok();
}

fn main() {}
