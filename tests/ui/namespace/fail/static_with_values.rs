use demo::*;
use rooms_layer::prelude::*;

fn at(rooms: RoomsLayer, app: App) {
    let _ = rooms.at(app);
}

fn main() {}
