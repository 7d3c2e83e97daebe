use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(s: Socket<App>, ev: ConfirmDelete) -> bool {
    true
}

fn main() {}
