use rooms_layer::prelude::*;

#[derive(Event)]
#[event(name = "x")]
struct A;

#[derive(Event)]
#[event(name = "x")]
struct B;

#[derive(Namespace)]
#[namespace(server(A, B))]
struct N;

fn main() {}
