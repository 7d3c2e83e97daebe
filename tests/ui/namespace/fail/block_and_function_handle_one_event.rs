use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn moved(_: CursorMoved) {}

fn f() -> RoomsLayer {
    RoomsLayer::new().namespace(
        App::serve(Db::default())
            .authorize(authorize)
            .on(moved)
            .on(add_task)
            .on(join_project)
            .handlers(Cursors::default()),
    )
}

fn main() {}
