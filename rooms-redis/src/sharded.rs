//! Sharded pub/sub as the sharded adapter of `@socket.io/redis-adapter` does it.

use crate::{
    ConnectError, Redis,
    classic::number,
    emitter,
    endpoint::Reach,
    link::{Kind, Link, Listener, Reply, Topic},
    member::{Member, Voice},
    message::Message,
    open::{Mode, Open},
    protocol::cluster::{self, Written},
};
use rooms_layer::{
    Adapter, SocketId,
    bounds::CanServerEmit,
    rooms::{
        Selection,
        adapter::{AdapterError, BoxFuture, Broadcast, Channel, Confirmed, Health, Opening},
    },
};
use std::{sync::Arc, time::Duration};

/// Which rooms have a channel for themselves, so that only servers with a member there hear of them. All servers of a cluster
/// have the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SubscriptionMode {
    /// Rooms other than those named by a socket's id, which are taken to be those with names of 20 characters. The default, as
    /// in Node.
    #[default]
    Dynamic,
    /// All rooms, those named by a socket's id among them: what goes to single sockets goes to one server. It costs a
    /// subscription for each socket.
    DynamicPrivate,
    /// None: every server hears everything, as with [`Classic`](crate::Classic). Where rooms come and go too fast for
    /// subscriptions to follow.
    Static,
}

/// Settings of [`Sharded`]. All servers of a cluster have the same.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ShardedConfig {
    /// What the names of channels begin with. Default `socket.io`, as `channelPrefix` of Node's adapter. Clusters that share a
    /// Redis need different ones.
    pub prefix: String,
    /// Which rooms have a channel for themselves.
    pub mode: SubscriptionMode,
    /// How long acknowledgements are waited for on behalf of another server that does not say. Default 5 s, as in Node.
    pub request_timeout: Duration,
}

impl Default for ShardedConfig {
    fn default() -> Self {
        Self {
            prefix: "socket.io".to_owned(),
            mode: SubscriptionMode::default(),
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// Joins servers through sharded pub/sub, together with Node's servers that use `createShardedAdapter` of
/// `@socket.io/redis-adapter` 8.
///
/// A broadcast to one room goes to the servers with a member there and to no others, and in a Cluster to the one node that has
/// the room's slot. Needs Redis 7.
///
/// # Promises
///
/// - What a server publishes to a namespace arrives at the others at most once and in its order. In a Cluster, the order holds
///   within each room that has a channel for itself, and for all the rest together, since these are at different nodes.
/// - A server hears of a room once awaiting `Socket::join` has returned, not before.
/// - What is published while a server is cut off, or while a slot of the Cluster moves to another node, may be lost. It
///   subscribes again by itself. [`Adapter::health`] tells of the former.
/// - Questions to other servers end by their deadline, with what has arrived.
///
/// ```no_run
/// use rooms_layer::RoomsLayer;
/// use rooms_redis::{Redis, Sharded};
///
/// # async fn example() -> Result<(), rooms_redis::ConnectError> {
/// let redis = Redis::cluster(["redis://10.0.0.1:7000/", "redis://10.0.0.2:7000/"])?;
/// let rooms = RoomsLayer::with_adapter(Sharded::connect(redis).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sharded {
    link: Arc<Link>,
    config: Arc<ShardedConfig>,
    uid: Arc<str>,
}

const NAME: &str = "redis-sharded";

impl Sharded {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Fails if Redis can't be reached, or is older than 7. Once connected, it is connected to again by itself whenever it is
    /// lost.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime. The connections live on that runtime.
    pub async fn connect(redis: Redis) -> Result<Self, ConnectError> {
        Self::connect_with(redis, ShardedConfig::default()).await
    }

    /// Connects, with settings.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect_with(redis: Redis, config: ShardedConfig) -> Result<Self, ConnectError> {
        let link = Link::connect(redis, Reach::Slots, NAME).await?;
        let mut count = redis::cmd("PUBSUB");
        count.arg("SHARDNUMSUB");
        link.query(count).await.map_err(|_| ConnectError::TooOld {
            missing: "sharded pub/sub",
            since: "7.0",
            instead: "use `Classic`, which every Redis since 6 can do",
        })?;
        Ok(Self {
            link: Arc::new(link),
            config: Arc::new(config),
            uid: SocketId::random().into(),
        })
    }
}

impl Adapter for Sharded {
    fn name(&self) -> &'static str {
        NAME
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let main = main_channel(&self.config, opening.namespace);
        let topics = [
            Topic::new(Kind::Shard, main.clone()),
            Topic::new(Kind::Shard, format!("{main}{}#", self.uid)),
        ];
        let speaker = Speaker {
            link: self.link.clone(),
            namespace: opening.namespace.into(),
            uid: self.uid.clone(),
            main,
            mode: self.config.mode,
            end: cluster::end(&self.uid, opening.namespace),
        };
        let (uid, link) = (self.uid.clone(), self.link.clone());
        let member = Member::new(&opening, uid, link, self.config.request_timeout, speaker);
        Box::new(Open::new(member, topics))
    }

    fn health(&self) -> Health {
        self.link.status().health()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.link.status().changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.link.close()
    }
}

impl CanServerEmit for Sharded {}

/// The channel that every server hears.
fn main_channel(config: &ShardedConfig, namespace: &str) -> Arc<str> {
    format!("{}#{namespace}#", config.prefix).into()
}

/// How a namespace is heard.
pub(crate) struct Speaker {
    link: Arc<Link>,
    namespace: Box<str>,
    uid: Arc<str>,
    /// The channel that every server hears; those of single rooms and servers begin with its name.
    main: Arc<str>,
    mode: SubscriptionMode,
    /// How what this server says ends.
    end: String,
}

impl Speaker {
    /// That of an emitter, which nobody answers.
    pub(crate) fn of_emitter(link: Arc<Link>, config: &ShardedConfig, namespace: &str) -> Self {
        Self {
            link,
            namespace: namespace.into(),
            uid: emitter::UID.into(),
            main: main_channel(config, namespace),
            mode: config.mode,
            end: cluster::end(emitter::UID, namespace),
        }
    }

    /// Whether a room has a channel for itself.
    fn is_dynamic(&self, room: &str) -> bool {
        match self.mode {
            SubscriptionMode::Static => false,
            SubscriptionMode::DynamicPrivate => true,
            // Counted as JavaScript does.
            SubscriptionMode::Dynamic => room.encode_utf16().count() != ID_LENGTH,
        }
    }

    fn publish(&self, channel: &Arc<str>, written: Written) -> Reply {
        match written.into_json(&self.uid, &self.namespace) {
            Ok(payload) => {
                let command = redis::cmd("SPUBLISH").arg(&**channel).arg(payload).take();
                self.link.send(channel, command)
            }
            Err(error) => Reply::refused(error),
        }
    }
}

/// The length of the id of a socket.
const ID_LENGTH: usize = 20;

impl Voice for Speaker {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        let written = cluster::write_broadcast(to, broadcast);
        match to.rooms.as_deref() {
            Some([room]) if self.is_dynamic(room) => {
                let channel = format!("{}{room}#", self.main).into();
                self.publish(&channel, written).confirmed()
            }
            _ => self.publish(&self.main, written).confirmed(),
        }
    }

    fn say(&self, message: &Message) -> Confirmed {
        self.publish(&self.main, cluster::write(message))
            .confirmed()
    }

    fn answer(&self, asker: Option<&str>, message: &Message) -> Confirmed {
        let channel = match asker {
            Some(asker) => format!("{}{asker}#", self.main).into(),
            None => self.main.clone(),
        };
        self.publish(&channel, cluster::write(message)).confirmed()
    }

    fn ask(&self, question: &Message) -> BoxFuture<Result<usize, AdapterError>> {
        let reply = self.publish(&self.main, cluster::write(question));
        Box::pin(async move {
            // The node that has the channel tells how many it has passed the question on to. This server is one of them.
            let heard = reply.value().await?;
            Ok(number(Some(&heard)).saturating_sub(1))
        })
    }
}

impl Mode for Speaker {
    fn topic_of(&self, room: &str) -> Option<Topic> {
        let topic = || Topic::new(Kind::Shard, format!("{}{room}#", self.main));
        self.is_dynamic(room).then(topic)
    }
}

impl Listener for Member<Speaker> {
    fn heard(&self, _topic: &Topic, channel: &str, payload: &[u8]) {
        // Redis brings a server its own messages too, and reading one is most of what it costs.
        if payload.ends_with(self.voice.end.as_bytes()) {
            return;
        }
        match cluster::read(payload, &self.limits) {
            Ok(envelope) => self.take(envelope),
            Err(error) => tracing::warn!(?channel, %error, "dropped a message of another server"),
        }
    }
}
