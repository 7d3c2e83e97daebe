use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(a: Ack<AddTask>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
