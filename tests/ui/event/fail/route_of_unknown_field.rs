use demo::*;
use rooms_layer::prelude::*;

#[derive(Event)]
#[event(to(Room::Project(pid)))]
struct A {
    id: ProjectId,
}

fn main() {}
