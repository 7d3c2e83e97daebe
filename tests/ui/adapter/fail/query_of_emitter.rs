use demo::*;
use rooms_layer::Emitter;

fn f(out: Emitter<App>) {
    drop(out.to(Room::lobby()).count());
    drop(out.local());
}

fn main() {}
