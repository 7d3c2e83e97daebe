use demo::*;
use rooms_layer::prelude::*;

struct H;

#[handler(App)]
impl H {
    #[on]
    async fn a(&self, e: CursorMoved) {}
    #[on]
    async fn b(&self, e: CursorMoved) {}
}

fn main() {}
