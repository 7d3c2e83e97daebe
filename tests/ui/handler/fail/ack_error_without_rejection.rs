use rooms_layer::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct E;

#[derive(Event, Deserialize)]
#[event(client, ack = Result<(), E>)]
struct Do {
    a: u8,
}

#[handler]
async fn h(e: Do) -> Result<(), E> {
    Ok(())
}

fn main() {}
