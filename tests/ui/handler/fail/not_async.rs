use demo::*;
use rooms_layer::prelude::*;

#[handler(App)]
fn h(ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
