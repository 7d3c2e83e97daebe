use demo::*;
use rooms_layer::prelude::*;

async fn h(n: u32, e: CursorMoved) {}
fn f() {
    App::serve(Db::default()).on(h);
}

fn main() {}
