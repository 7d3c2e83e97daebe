use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f() {
    RoomsLayer::new().on(async |n: u32, m: Maintenance| {});
}

fn main() {}
