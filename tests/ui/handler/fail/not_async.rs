use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[handler(App)]
fn h(ev: JoinProject) -> Result<(), ApiError> {
    Ok(())
}

fn main() {}
