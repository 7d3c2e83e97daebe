use demo::*;
use rooms_layer::prelude::*;
use serde::Serialize;

#[derive(Event, Serialize)]
#[event(nmae = "x", to(Project, Rom::*, Room::Lobby), broadcast, broadcast, ack = )]
#[event(name = "connect")]
struct Refresh {
    picture: Vec<u8>,
    icon: Option<Vec<u8>>,
}

fn main() {}
