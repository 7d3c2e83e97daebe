use rooms_layer::{export, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
struct Said {
    text: String,
}

#[derive(Namespace)]
#[namespace(path = "/", server(Said))]
struct Contract;

fn f() {
    export::typescript::<Contract>();
}

fn main() {}
