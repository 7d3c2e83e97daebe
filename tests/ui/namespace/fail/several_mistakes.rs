use demo::*;
use rooms_layer::prelude::*;

#[derive(Namespace)]
#[namespace(
    path = "chat",
    data,
    client(CursorMoved, CursorMoved),
    sever(Maintenance)
)]
struct Chat;

fn main() {}
