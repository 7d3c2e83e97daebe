//! Redis
mod calls;
mod classic;
mod emitter;
mod endpoint;
mod error;
mod link;
mod member;
mod message;
mod open;
mod protocol;
mod sharded;
mod streams;

pub use self::{
    classic::{Classic, ClassicConfig},
    emitter::{EmitterConfig, emitter},
    endpoint::Redis,
    error::ConnectError,
    sharded::{Sharded, ShardedConfig, SubscriptionMode},
    streams::{Streams, StreamsConfig},
};
