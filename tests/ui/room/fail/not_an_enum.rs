use rooms_layer::prelude::*;

#[derive(Room)]
struct Project(u64);

fn main() {}
