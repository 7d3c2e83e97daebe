//! The way into a cluster for processes that hold no sockets.

use crate::{
    ClassicConfig, ConnectError, Redis, ShardedConfig, StreamsConfig, classic,
    endpoint::Reach,
    link::Link,
    member::{self, Voice},
    sharded, streams,
};
use rooms_layer::{
    Emitter, Namespace,
    bounds::StaticNamespace,
    rooms::{
        Selection,
        adapter::{Broadcast, Command, Confirmed, Publisher},
    },
    wire::Data,
};
use std::sync::Arc;

/// What the servers of the cluster use, with their settings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EmitterConfig {
    /// [`Classic`](crate::Classic), or `@socket.io/redis-adapter` in Node.
    Classic(ClassicConfig),
    /// [`Sharded`](crate::Sharded), or the sharded adapter of the same package.
    Sharded(ShardedConfig),
    /// [`Streams`](crate::Streams), or `@socket.io/redis-streams-adapter`.
    Streams(StreamsConfig),
}

impl From<ClassicConfig> for EmitterConfig {
    fn from(config: ClassicConfig) -> Self {
        Self::Classic(config)
    }
}

impl From<ShardedConfig> for EmitterConfig {
    fn from(config: ShardedConfig) -> Self {
        Self::Sharded(config)
    }
}

impl From<StreamsConfig> for EmitterConfig {
    fn from(config: StreamsConfig) -> Self {
        Self::Streams(config)
    }
}

/// Connects a process without sockets to a cluster: the emitter for namespace `N`, from which those for others are taken.
///
/// The settings are those of the servers, whose kind they tell. Towards servers with `@socket.io/redis-adapter` it does what the npm
/// package `@socket.io/redis-emitter` does.
///
/// ```no_run
/// use rooms_layer::{Emitter, prelude::*};
/// use rooms_redis::{ClassicConfig, Redis, emitter};
///
/// #[derive(Event)]
/// #[event(server, broadcast)]
/// struct Refresh;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = Redis::standalone("redis://127.0.0.1/")?;
/// let io: Emitter<Main> = emitter(redis, ClassicConfig::default()).await?;
/// io.emit(Refresh)?.await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Fails if Redis can't be reached. Once connected, it is connected to again by itself whenever it is lost; what is emitted
/// meanwhile fails for whoever awaits it.
///
/// # Panics
///
/// Panics outside a tokio runtime. The connection lives on that runtime.
pub async fn emitter<N>(
    redis: Redis,
    config: impl Into<EmitterConfig>,
) -> Result<Emitter<N>, ConnectError>
where
    N: Namespace<Contract: StaticNamespace>,
{
    let config = config.into();
    let reach = match &config {
        EmitterConfig::Classic(_) => Reach::AnyNode,
        EmitterConfig::Sharded(_) | EmitterConfig::Streams(_) => Reach::Slots,
    };
    let link = Arc::new(Link::connect_to_send(redis, reach, NAME).await?);
    Ok(Emitter::new(move |namespace| {
        let link = link.clone();
        match &config {
            EmitterConfig::Classic(config) => Arc::new(Outside(classic::Speaker::of_emitter(
                link, config, namespace,
            ))),
            EmitterConfig::Sharded(config) => Arc::new(Outside(sharded::Speaker::of_emitter(
                link, config, namespace,
            ))),
            EmitterConfig::Streams(config) => Arc::new(Outside(streams::Speaker::of_emitter(
                link, config, namespace,
            ))),
        }
    }))
}

/// What emitters are called in logs.
const NAME: &str = "redis-emitter";
/// What emitters call themselves.
pub(crate) const UID: &str = "emitter";

/// A namespace, as seen by those who have no sockets in it.
struct Outside<V>(V);

impl<V: Voice> Publisher for Outside<V> {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        member::broadcast(&self.0, to, broadcast)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        member::command(&self.0, to, command)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        member::tell(&self.0, event)
    }
}
