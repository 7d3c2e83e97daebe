use rooms_layer::prelude::*;

#[derive(Event)]
#[event(cluster)]
struct Reload;

fn f(io: Io<Main>) {
    io.emit(Reload).ok();
}

fn main() {}
