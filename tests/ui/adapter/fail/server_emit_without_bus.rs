use demo::*;
use rooms_layer::prelude::*;
use rooms_layer::InMemory;

#[derive(Event)]
#[event(cluster)]
struct Reload;

fn f(io: Io<App, InMemory>) {
    io.server_side_emit(Reload).ok();
}

fn main() {}
