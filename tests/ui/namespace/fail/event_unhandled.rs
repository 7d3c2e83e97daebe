use demo::*;
use rooms_layer::prelude::*;

fn f() {
    RoomsLayer::new().namespace(
        App::serve(Db::default())
            .authorize(authorize)
            .on(add_task)
            .handlers(Cursors::default()),
    );
}

fn main() {}
