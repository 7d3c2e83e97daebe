use demo::*;
use rooms_layer::prelude::*;

fn f() -> RoomsLayer {
    RoomsLayer::new().on(async |_: Socket<Main>, event: Typing<'_>| {
        event.field.len();
    })
}

fn main() {}
