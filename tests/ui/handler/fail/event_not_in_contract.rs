use demo::*;
use rooms_layer::prelude::*;
use serde::Deserialize;

#[derive(Event, Deserialize)]
#[event(client)]
struct Zap {
    a: u8,
}

#[handler(App)]
async fn h(e: Zap) {}

fn main() {}
