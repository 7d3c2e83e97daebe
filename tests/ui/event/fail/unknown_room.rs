use demo::*;
use rooms_layer::prelude::*;

#[derive(Event)]
#[event(to(Room::Projct))]
struct A;

fn main() {}
