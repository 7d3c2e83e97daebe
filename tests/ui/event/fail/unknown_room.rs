use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[derive(Event)]
#[event(to(Room::Projct))]
struct A;

fn main() {}
