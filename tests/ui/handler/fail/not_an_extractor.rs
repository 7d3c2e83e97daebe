use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(n: u32, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
