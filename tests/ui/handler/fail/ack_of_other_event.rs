use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(a: Ack<AddTask>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
