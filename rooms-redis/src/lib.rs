//! Redis
mod calls;
mod classic;
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
    endpoint::Redis,
    error::ConnectError,
    sharded::{Sharded, ShardedConfig, SubscriptionMode},
    streams::{Streams, StreamsConfig},
};
