//! The library under another path.

mod vendored {
    pub use rooms_layer as live;
}

use serde::{Deserialize, Serialize};
use vendored::live::{Event, Main, Namespace, NamespaceExt, Room, RoomKey, handler};

#[derive(RoomKey, Clone, Serialize, Deserialize)]
#[room_key(crate = vendored::live)]
pub struct Id(u64);

#[derive(Room)]
#[room(crate = vendored::live)]
pub enum Place {
    Project(Id),
}

#[derive(Event)]
#[event(crate = vendored::live, to(Place::Project(0)))]
pub struct Moved(Id);

#[derive(Namespace)]
#[namespace(crate = vendored::live, rooms(Place), client(Moved), server(Moved))]
pub struct Server;

#[handler(Server, Main, crate = vendored::live)]
async fn moved(_: Moved) {}

struct Block;

#[handler(crate = vendored::live)]
impl Block {
    #[on]
    async fn moved(&self, _: Moved) {}
}

pub fn served() -> vendored::live::Served<Server> {
    let _ = (
        vendored::live::RoomsLayer::new().handlers(Block),
        Main::serve(()).on(moved),
    );
    Server::serve(()).on(moved).build()
}
