use rooms_layer::prelude::*;

#[derive(Event)]
#[event(client)]
struct A;

#[derive(Namespace)]
#[namespace(server(A))]
struct N;

fn main() {}
