//! Who is connected to which namespace, without types: the Socket.IO conversation of each connection, the peers of each
//! namespace, and the calls that the typed floor makes.
#![allow(dead_code)]
mod acks;
mod core;
mod error;
mod handlers;
mod hub;
mod peer;

pub(crate) use self::{
    acks::Replies,
    core::{Flags, Namespace},
    handlers::{BoxFuture, ConnectRequest, Event, Handlers, Reply, SocketData},
    hub::Hub,
    peer::Peer,
};
pub use self::{
    core::Sent,
    error::{AckError, EmitError, MountError, Refusal},
    handlers::HandshakeInfo,
    peer::Changed,
};
