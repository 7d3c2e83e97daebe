use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
async fn h(s: Socket<Main>, ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
