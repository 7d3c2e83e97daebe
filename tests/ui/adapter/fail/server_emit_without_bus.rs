use demo::*;
use rooms_layer::prelude::*;
use rooms_layer::{InMemory, bounds::CanServerEmit};

fn reload_everywhere<A: CanServerEmit>(_: Io<App, A>) {}

fn f(io: Io<App, InMemory>) {
    reload_everywhere(io);
}

fn main() {}
