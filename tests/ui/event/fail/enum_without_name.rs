use rooms_layer::prelude::*;
use serde::Serialize;

#[derive(Event, Serialize)]
enum E {
    A,
    B,
}

fn main() {}
