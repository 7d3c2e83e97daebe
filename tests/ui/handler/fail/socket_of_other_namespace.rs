use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
async fn h(s: Socket<Main>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
