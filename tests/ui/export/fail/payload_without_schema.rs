use rooms_layer::{export, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Plain {
    text: String,
}

#[derive(Event)]
#[event(ack = Plain)]
struct Argument(Plain);

#[derive(Namespace)]
#[namespace(path = "/", client(Argument))]
struct Contract;

fn f() {
    export::typescript::<Contract>();
}

fn main() {}
