use demo::*;
use rooms_layer::prelude::*;

fn f(db: Db) -> RoomsLayer {
    RoomsLayer::new().on(async move |_: Socket<Main>, _: CursorMoved| {
        db.0.lock().ok();
    })
}

fn main() {}
