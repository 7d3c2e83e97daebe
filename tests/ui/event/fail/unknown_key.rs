use rooms_layer::prelude::*;

#[derive(Event)]
#[event(nmae = "x")]
struct A;

fn main() {}
