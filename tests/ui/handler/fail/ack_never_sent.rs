use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(ack: Ack<JoinProject>, ev: JoinProject) {}

fn main() {}
