//! Joins servers of [`rooms_layer`] through [NATS](https://nats.io), so that rooms and broadcasts span all of them.
//!
//! ```no_run
//! use rooms_layer::RoomsLayer;
//! use rooms_nats::Nats;
//!
//! # async fn example() -> Result<(), rooms_nats::ConnectError> {
//! let rooms = RoomsLayer::with_adapter(Nats::connect("nats://localhost").await?);
//! # Ok(())
//! # }
//! ```
//!
//! | | promises | costs | choose it |
//! |---|---|---|---|
//! | [`Nats`] | at most once, in the order of each publisher | a message to each server that has the room | nearly always |
//! | [`JetStream`] | the same, and clients that come back get what they missed | each broadcast is stored, and comes back to every server | where nothing may be missed |
//!
//! A process without sockets has an [`emitter`].
//!
//! Connections are made again by themselves. Meanwhile [`Adapter::health`](rooms_layer::Adapter::health) tells the cause,
//! sockets of one server reach each other, and whoever awaits what goes to others gets an error.
//!
//! What travels where, and all settings, are in a chapter of the guide: `docs/guide/nats.md`.

mod answering;
mod channel;
mod cluster;
mod config;
mod connection;
mod driver;
mod emitter;
mod inbox;
mod jetstream;
mod nats;
mod outbox;
mod presence;
mod protocol;
mod questions;
mod recovery;
mod subjects;

pub use async_nats::ConnectOptions;

pub use self::{
    config::NatsConfig,
    emitter::{emitter, emitter_with},
    jetstream::{JetStream, JetStreamConfig},
    nats::{ConnectError, Nats},
};

/// The chapter of the guide, which has to compile.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/guide/nats.md")]
    mod nats {}
}
