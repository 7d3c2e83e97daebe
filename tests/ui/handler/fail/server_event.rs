use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(s: Socket<App>, ev: ConfirmDelete) -> bool {
    true
}

fn main() {}
