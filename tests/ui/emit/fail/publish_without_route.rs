use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>) {
    io.publish(CursorMoved(0., 0.)).ok();
}

fn main() {}
