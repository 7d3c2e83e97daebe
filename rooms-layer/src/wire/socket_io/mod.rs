//! Socket.IO packets (protocol 5, and [`v4`]), as they travel in Engine.IO messages.
//!
//! Clients write them as text, or all in msgpack. A [`Packet`] is the same either way.

mod decode;
mod encode;
mod error;
mod msgpack;
mod packet;
pub mod v4;

pub use decode::{Decoder, Parsers};
pub use encode::{
    connect_error_frame, connect_frame, disconnect_frame, frame_ack, frame_ack_of, frame_event,
    frame_event_of,
};
pub use error::PacketError;
pub(super) use msgpack::msgpack_frame;
pub use packet::{Kind, Packet};

/// The names that Socket.IO keeps for itself; no event may be called so, in either direction.
pub const RESERVED_EVENTS: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

#[cfg(test)]
mod tests;
