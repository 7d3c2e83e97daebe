use demo::*;
use rooms_layer::prelude::*;

#[derive(Namespace)]
#[namespace(path = "/dashboard", rooms(Room), server(Maintenance))]
struct Dashboard;

#[derive(Namespace)]
#[namespace(contract = Dashboard, data = u32)]
struct App2;

fn f(io: Io<App2>) {
    io.emit(Maintenance).ok();
    io.to(Room::lobby()).emit(CursorMoved(0., 0.)).ok();
}

fn main() {}
