use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(State(n): State<u32>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
