use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[derive(Event)]
#[event(to(Room::Project(pid)))]
struct A {
    id: ProjectId,
}

fn main() {}
