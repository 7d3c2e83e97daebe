use demo::*;
use rooms_layer::prelude::*;

#[derive(Room)]
enum Admin {
    Audit,
}

fn f(io: Io<App>) {
    io.to(Admin::audit()).emit(Maintenance).ok();
}

fn main() {}
