use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(ack: Ack<JoinProject>, ev: JoinProject) {}

fn main() {}
