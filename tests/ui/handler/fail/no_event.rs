use rooms_layer::prelude::*;

#[handler(App)]
async fn h() {}

fn main() {}
