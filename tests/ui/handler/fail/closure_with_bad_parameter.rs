use demo::*;
use rooms_layer::prelude::*;

fn f() {
    RoomsLayer::new().on(async |n: u32, m: Maintenance| {});
}

fn main() {}
