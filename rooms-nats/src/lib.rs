//! Joins servers of [`rooms_layer`] through NATS.

mod answering;
mod channel;
mod cluster;
mod config;
mod connection;
mod driver;
mod inbox;
mod nats;
mod outbox;
mod presence;
mod protocol;
mod questions;
mod subjects;

pub use async_nats::ConnectOptions;

pub use self::{
    config::NatsConfig,
    nats::{ConnectError, Nats},
};
