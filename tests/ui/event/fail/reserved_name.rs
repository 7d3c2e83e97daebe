use rooms_layer::prelude::*;

#[derive(Event)]
struct Disconnect;

fn main() {}
