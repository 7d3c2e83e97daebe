use demo::*;
use rooms_layer::prelude::*;

#[derive(Namespace)]
#[namespace(path = "/dashboard", server(Maintenance))]
struct Dashboard;

#[derive(Namespace)]
#[namespace(contract = Dashboard, path = "/", data = u32, client(CursorMoved))]
struct Server;

fn main() {}
