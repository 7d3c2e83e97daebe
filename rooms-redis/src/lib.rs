//! Joins servers of [`rooms_layer`] through Redis, together with Node's Socket.IO servers.
//!
//! ```no_run
//! use rooms_layer::RoomsLayer;
//! use rooms_redis::{Classic, Redis};
//!
//! # async fn example() -> Result<(), rooms_redis::ConnectError> {
//! let adapter = Classic::connect(Redis::standalone("redis://127.0.0.1/")?).await?;
//! let rooms = RoomsLayer::with_adapter(adapter);
//! # Ok(())
//! # }
//! ```
//!
//! | adapter | promises | costs | choose it |
//! |---|---|---|---|
//! | [`Classic`] | at most once, in the order of each publisher | every server hears every broadcast | for a few servers, or where Node's servers have it |
//! | [`Sharded`] | the same; in a Cluster, in order within a room | one delivery to each server that has the room, and a subscription for each of these | for many servers and rooms, and for a Cluster |
//! | [`Streams`] | nothing missed while the stream keeps it, in one order for all; clients that come back | an entry in Redis for each broadcast, which every server reads | where nothing may be missed |
//!
//! Each speaks the form of one of Node's adapters, which its documentation names. [`Redis`] says where Redis is: alone, behind
//! Sentinels, or a Cluster. A process without sockets has an [`emitter`].
//!
//! Connections are made again by themselves. Meanwhile [`Adapter::health`](rooms_layer::Adapter::health) tells the cause,
//! sockets of the same server notice nothing of what goes through pub/sub, and whoever awaits what was emitted gets an error.
//!
//! Which to choose, and all settings, are in a chapter of the guide: `docs/guide/redis.md`.
//!
//! | feature | what it adds |
//! |---|---|
//! | `tls` | connections that are encrypted, `rediss://`, by rustls |

#![cfg_attr(docsrs, feature(doc_cfg))]

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

/// The chapter of the guide, which has to compile.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../docs/guide/redis.md")]
    mod redis {}
}
