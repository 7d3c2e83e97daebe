use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(ev: AddTask) -> String {
    String::new()
}

fn main() {}
