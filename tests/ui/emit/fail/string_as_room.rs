use demo::*;
use rooms_layer::prelude::*;

fn f(io: Io<App>) {
    io.to("project:42").emit(CursorMoved(0., 0.)).ok();
}

fn main() {}
