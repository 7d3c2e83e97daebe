use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(io: Io<App>, renamed: Renamed<'_>) {
    io.to(Room::project(renamed.id)).emit(&renamed).ok();
}

fn main() {}
