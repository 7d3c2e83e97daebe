//! Who is connected to which namespace, without types: the Socket.IO conversation of each connection, the peers of each
//! namespace, and the acknowledgements that are waited for.
//!
//! Calls the typed floor above through [`Handlers`], which that floor implements.

mod acks;
mod back_end;
mod config;
mod conversation;
mod core;
mod dialect;
mod error;
mod gather;
mod handlers;
mod heard;
mod hub;
mod in_flight;
mod linger;
mod pattern;
mod peer;
mod recover;
mod room_events;

pub(crate) use self::{
    acks::Replies,
    conversation::Conversation,
    core::{Contract, Namespace},
    gather::ServerReplies,
    handlers::{BoxFuture, ConnectRequest, Event, Handlers, Reply, SocketData},
    hub::Hub,
    pattern::{PathValues, Pattern},
    peer::Peer,
};
pub use self::{
    config::NamespaceConfig,
    error::Refuse,
    room_events::{Lagged, RoomEvent, RoomEvents},
};
pub use crate::{engine::SlowClients, wire::socket_io::Parsers};

#[cfg(test)]
mod tests;
