use rooms_layer::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Token {
    token: String,
}

#[derive(Namespace)]
#[namespace(path = "/", auth = Token)]
struct App;

fn main() {
    RoomsLayer::new().namespace(App::serve(()));
}
