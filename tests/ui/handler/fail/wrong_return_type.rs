use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(ev: AddTask) -> String {
    String::new()
}

fn main() {}
