//! Bytes to packets and back: WebSocket frames, Engine.IO packets, Socket.IO packets and their arguments.
//!
//! This floor is pure. It knows no runtime, no HTTP, no clock and no lock, and it never asks for more than it is given:
//! a decoder takes what has arrived, yields what is complete, and refuses what breaks the protocol or a ceiling of
//! [`Limits`]. Nothing that a peer sends makes it panic, reserve memory for what was only declared, or look at a byte
//! more than a fixed number of times.
//!
//! An inbound message climbs three steps, each of which can be used alone:
//!
//! 1. [`websocket::Decoder`] takes the bytes of the socket and yields text and binary messages and control frames.
//! 2. [`engine_io::Packet::decode`] reads the type in front of a text message.
//! 3. [`socket_io::Decoder`] reads what an Engine.IO message carries and joins it with its binary attachments. The
//!    arguments stay text until a handler asks [`Args`] for a type.
//!
//! On the way out there is one step: [`DataWriter`] serialises the arguments, and [`socket_io::frame_event`] writes
//! the packet's prefix and the WebSocket header into the room kept free in front of them. What results is shared by
//! all recipients. Those who read another format than JSON get theirs out of [`Frames`], which makes it when the first asks.
//!
//! [`msgpack`] is the other form of what packets carry, into which JSON with attachments can be turned, and back.

pub mod args;
pub mod data;
#[cfg(feature = "server")]
pub mod engine_io;
#[cfg(feature = "server")]
pub mod frames;
pub mod limits;
pub mod msgpack;
#[cfg(feature = "server")]
pub mod socket_io;
pub mod value;
#[cfg(feature = "server")]
pub mod websocket;

pub use args::{Args, DecodeError};
pub use data::{Data, DataWriter, EncodeError};
#[cfg(feature = "server")]
pub use frames::{Format, Frames};
pub use limits::Limits;
pub use value::Value;
