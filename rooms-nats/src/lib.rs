//! Joins servers of [`rooms_layer`] through NATS.

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
