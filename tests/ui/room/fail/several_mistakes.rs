use rooms_layer::prelude::*;

#[derive(Room)]
enum Room {
    #[room(name = "a:b")]
    A,
    #[room(nam = "b")]
    B(u8),
    #[room(name = "b")]
    C(u8),
}

fn main() {}
