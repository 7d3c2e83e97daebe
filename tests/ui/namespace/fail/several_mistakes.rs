use rooms_layer::prelude::*;
use rooms_tests::demo::*;

#[derive(Namespace)]
#[namespace(
    path = "chat",
    data,
    client(CursorMoved, CursorMoved),
    sever(Maintenance)
)]
struct Chat;

fn main() {}
