use demo::*;
use rooms_layer::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(broadcast)]
struct Other {
    a: u8,
}

fn f(io: Io<App>) {
    io.emit(Other { a: 1 }).ok();
}

fn main() {}
