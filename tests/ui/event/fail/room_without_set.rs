use rooms_layer::prelude::*;

#[derive(Event)]
#[event(to(Project))]
struct A;

fn main() {}
