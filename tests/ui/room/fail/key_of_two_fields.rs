use rooms_layer::prelude::*;

#[derive(RoomKey)]
struct Cell(u32, u32);

#[derive(Room)]
enum Room {
    Cell(Cell),
}

fn main() {}
