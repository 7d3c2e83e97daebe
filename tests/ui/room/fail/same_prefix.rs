use rooms_layer::prelude::*;

#[derive(Room)]
enum R {
    A(u8),
    #[room(name = "a")]
    B(u8),
}

fn main() {}
