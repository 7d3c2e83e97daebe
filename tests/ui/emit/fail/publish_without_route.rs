use rooms_layer::prelude::*;
use rooms_tests::demo::*;

fn f(io: Io<App>) {
    io.publish(CursorMoved(0., 0.)).ok();
}

fn main() {}
