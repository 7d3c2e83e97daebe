use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(State(n): State<u32>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
