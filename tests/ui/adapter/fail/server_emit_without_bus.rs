use rooms_layer::prelude::*;
use rooms_layer::{CanServerEmit, InMemory};
use rooms_tests::demo::*;

fn reload_everywhere<A: CanServerEmit>(_: Io<App, A>) {}

fn f(io: Io<App, InMemory>) {
    reload_everywhere(io);
}

fn main() {}
