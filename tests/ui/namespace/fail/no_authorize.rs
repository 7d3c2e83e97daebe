use demo::*;
use rooms_layer::prelude::*;

fn f() {
    RoomsLayer::new().namespace(
        App::serve(Db::default())
            .on(add_task)
            .on(join_project)
            .handlers(Cursors::default()),
    );
}

fn main() {}
