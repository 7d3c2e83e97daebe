use rooms_layer::prelude::*;
use std::net::IpAddr;

#[derive(RoomKey)]
struct Named {
    id: u64,
}

#[derive(RoomKey)]
struct Wrapper<T: RoomKey>(T);

#[derive(Room)]
enum Room {
    Named(Named),
    Wrapped(Wrapper<Named>, Wrapper<String>),
    Address(IpAddr),
    Flag(bool, char),
    #[room(name = "legacy-name")]
    Renamed(String),
    r#Move,
}
