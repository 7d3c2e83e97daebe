use rooms_layer::prelude::*;

struct Id(u8);
#[derive(Room)]
enum R {
    A(Id),
}

fn main() {}
