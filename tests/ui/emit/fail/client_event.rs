use rooms_layer::prelude::*;
use serde::{Deserialize, Serialize};

fn f(io: Io<Main>) {
    #[derive(Event, Serialize, Deserialize)]
    #[event(client)]
    struct Ping;
    io.emit(Ping).ok();
}

fn main() {}
