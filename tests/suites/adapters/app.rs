//! What every server does for clients. Node's do the same in `tests/adapters/node/peer.mjs`.

use rooms_layer::{bounds::EmittedBy, prelude::*, wire::Value};
use serde::{Deserialize, Serialize};

/// Broadcasts of the suite.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, to(dynamic))]
pub(crate) struct Said(pub(crate) Value);

/// What finds out whether servers hear each other.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast)]
pub(crate) struct Warm(pub(crate) String);

/// Broadcasts that are acknowledged.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, to(dynamic), ack = Value)]
pub(crate) struct Confirm(pub(crate) Value);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
pub(crate) struct Join(String);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
pub(crate) struct Leave(String);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
pub(crate) struct Tell(Others, Value);

#[derive(Serialize, Deserialize)]
struct Others {
    rooms: Option<Vec<String>>,
    except: Vec<String>,
}

/// The dynamic namespaces.
#[derive(Namespace)]
#[namespace(path = "/space-{id}", client(Join, Leave, Tell), server(Said, Confirm))]
pub(crate) struct Space {
    pub(crate) id: u32,
}

pub(crate) async fn join<N: Namespace>(socket: Socket<N>, Join(room): Join) -> bool {
    socket.join(DynRoom(room)).await.is_ok()
}

pub(crate) async fn leave<N: Namespace>(socket: Socket<N>, Leave(room): Leave) -> bool {
    socket.leave(DynRoom(room)).await.is_ok()
}

pub(crate) async fn tell<N: Namespace>(socket: Socket<N>, Tell(to, value): Tell) -> bool
where
    Said: EmittedBy<N>,
{
    let except: Vec<_> = to.except.into_iter().map(DynRoom).collect();
    let sent = match to.rooms {
        Some(rooms) => {
            let rooms: Vec<_> = rooms.into_iter().map(DynRoom).collect();
            socket.to(rooms).except(except).emit(Said(value))
        }
        None => socket.broadcast().except(except).emit(Said(value)),
    };
    sent.is_ok()
}
