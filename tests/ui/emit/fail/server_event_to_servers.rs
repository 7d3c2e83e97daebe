use demo::*;
use rooms_layer::Emitter;

fn f(out: Emitter<App>) {
    out.server_side_emit(Maintenance).ok();
}

fn main() {}
