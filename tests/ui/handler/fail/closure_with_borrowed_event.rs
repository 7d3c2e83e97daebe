use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f() -> RoomsLayer {
    RoomsLayer::new().on(async |_: Socket<Main>, event: Typing<'_>| {
        event.field.len();
    })
}

fn main() {}
