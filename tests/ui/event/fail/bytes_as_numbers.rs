use rooms_layer::prelude::*;
use serde::Serialize;

#[derive(Event, Serialize)]
struct File {
    name: String,
    body: Vec<u8>,
}

fn main() {}
