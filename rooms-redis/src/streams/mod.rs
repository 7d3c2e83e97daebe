//! A stream as `@socket.io/redis-streams-adapter` uses it, with recovery that is whole or says that it is not.

mod claim;
mod flow;
mod reader;
mod recovery;
mod scripts;
mod session;
mod speaker;
mod stream;

pub(crate) use self::speaker::Speaker;
use self::{
    flow::Flow,
    reader::{Reader, Router},
    recovery::Sessions,
    scripts::Scripts,
    speaker::main_channel,
    stream::Stream,
};
use crate::{
    ConnectError, Redis,
    endpoint::Reach,
    link::Link,
    member::Member,
    open::Open,
    protocol::{limits, streams::StreamId},
};
use rooms_layer::{
    Adapter, SocketId,
    bounds::{CanRecover, CanServerEmit},
    rooms::adapter::{BoxFuture, Channel, Confirmed, Health, Opening, RecoveryConfig},
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::task::JoinHandle;

/// Settings of [`Streams`]. All servers of a cluster have the same.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StreamsConfig {
    /// The name of the stream. Default `socket.io`, as `streamName` of Node's adapter. Clusters that share a Redis need different
    /// ones.
    pub stream: String,
    /// What the names of channels begin with. Default `socket.io`, as `channelPrefix` of Node's adapter. Other adapters have
    /// channels of the same names: clusters that share a Redis need different ones.
    pub channel_prefix: String,
    /// What the keys of sessions begin with. Default `sio:session:`, as `sessionKeyPrefix` of Node's adapter.
    pub session_prefix: String,
    /// About how many entries the stream keeps, those of all namespaces together. Default 10,000, as `maxLen` of Node's adapter.
    /// It is what a server may miss while Redis is out of reach, and what clients may miss that come back.
    pub max_len: usize,
    /// How many entries are read at once. Default 100, as `readCount` of Node's adapter.
    pub read_count: usize,
    /// Whether questions and answers go through sharded pub/sub, which needs Redis 7. Default false. It is `useShardedPubSub` of
    /// Node's adapter.
    pub sharded_pub_sub: bool,
    /// How long acknowledgements are waited for on behalf of another server that does not say. Default 5 s, as in Node.
    pub request_timeout: Duration,
}

impl Default for StreamsConfig {
    fn default() -> Self {
        Self {
            stream: "socket.io".to_owned(),
            channel_prefix: "socket.io".to_owned(),
            session_prefix: "sio:session:".to_owned(),
            max_len: 10_000,
            read_count: 100,
            sharded_pub_sub: false,
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// Joins servers through a stream, together with Node's servers that use `@socket.io/redis-streams-adapter` 0.3 with one stream.
///
/// Broadcasts and commands are entries of one stream, which every server reads in order; what is asked and answered goes through
/// pub/sub. A server that was cut off reads on where it was. Clients may come back to what they were
/// (`RoomsLayer::recovery`).
///
/// # Promises
///
/// - What a server publishes arrives at the others once and in the order of the stream, also after the connection to Redis was
///   lost, for as long as the stream keeps it. What was trimmed or lost is logged.
/// - With recovery, all servers deliver in the order of the stream, the one that emits included, whose own sockets therefore
///   wait for Redis. What can't be handed to Redis is delivered to its own sockets at once, without a place to come back to.
/// - A client that comes back within the window gets what it missed, in order, nothing twice and without a gap, or is a new
///   client. It is a new one after Redis has lost something. A connected client whose server may have missed something, because
///   the stream was trimmed or lost before it was read, is cut off, and comes back as a new one.
/// - A session is written when the socket is in and when its rooms change, so that it outlives a server that is killed. It can
///   be claimed again and again; each claim takes it from the one before.
/// - All this holds as far as Redis keeps what it has confirmed. It replicates asynchronously, and writes its file once a second.
///
/// ```no_run
/// use rooms_layer::RoomsLayer;
/// use rooms_redis::{Redis, Streams};
///
/// # async fn example() -> Result<(), rooms_redis::ConnectError> {
/// let adapter = Streams::connect(Redis::standalone("redis://127.0.0.1/")?).await?;
/// let rooms = RoomsLayer::with_adapter(adapter);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Streams {
    stream: Stream,
    config: Arc<StreamsConfig>,
    uid: Arc<str>,
    flow: Arc<Flow>,
    router: Arc<Router>,
    reading: Arc<Reading>,
}

/// Ends the reader with the last who needs it.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

const NAME: &str = "redis-streams";

impl Streams {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Fails if Redis can't be reached. Once connected, it is connected to again by itself whenever it is lost.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime. The connections live on that runtime.
    pub async fn connect(redis: Redis) -> Result<Self, ConnectError> {
        Self::connect_with(redis, StreamsConfig::default()).await
    }

    /// Connects, with settings.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does, and if the stream may keep nothing or is read by nothing at a time.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect_with(redis: Redis, config: StreamsConfig) -> Result<Self, ConnectError> {
        let zero = |setting| ConnectError::Setting {
            setting,
            fault: "must not be 0",
        };
        if config.max_len == 0 {
            return Err(zero("max_len"));
        }
        if config.read_count == 0 {
            return Err(zero("read_count"));
        }
        let reach = Reach::Slots;
        let link = Arc::new(Link::connect(redis, reach, NAME).await?);
        let stream = Stream::new(link.clone(), &config);
        let epoch = stream.epoch(SocketId::random().as_str()).await;
        let epoch = epoch.map_err(ConnectError::unreachable)?;
        let ends = stream.ends().await.map_err(ConnectError::unreachable)?;
        let at = ends.map_or(StreamId::ZERO, |(_, last)| last);
        let flow = Arc::new(Flow::new(at, epoch));
        let router = Arc::<Router>::default();
        let reader = Reader {
            stream: stream.clone(),
            reach,
            flow: flow.clone(),
            router: router.clone(),
            count: config.read_count,
            at,
        };
        Ok(Self {
            reading: Arc::new(Reading(link.spawn(reader.run()))),
            stream,
            config: Arc::new(config),
            uid: SocketId::random().into(),
            flow,
            router,
        })
    }

    fn sessions(
        &self,
        opening: &Opening<'_>,
        main: &Arc<str>,
        config: &RecoveryConfig,
    ) -> Arc<Sessions> {
        let sessions = Arc::new_cyclic(|this: &Weak<Sessions>| Sessions {
            stream: self.stream.clone(),
            flow: self.flow.clone(),
            namespace: opening.namespace.into(),
            uid: self.uid.clone(),
            local: opening.local.clone(),
            config: config.clone(),
            scripts: Scripts {
                prefix: self.config.session_prefix.clone(),
            },
            main: main.clone(),
            publish: match self.config.sharded_pub_sub {
                true => "SPUBLISH",
                false => "PUBLISH",
            },
            limits: limits(self.stream.link.redis().max_message),
            sessions: Default::default(),
            away: Default::default(),
            this: this.clone(),
        });
        self.stream.link.spawn(keep_alive(
            Arc::downgrade(&sessions),
            sessions.between_signs(),
        ));
        sessions
    }
}

/// Writes the sessions of those who are here again and again, so that they do not expire.
async fn keep_alive(sessions: Weak<Sessions>, between: Duration) {
    loop {
        tokio::time::sleep(between).await;
        let Some(here) = sessions.upgrade().map(|sessions| sessions.here()) else {
            return;
        };
        for some in here.chunks(SAVED_AT_ONCE) {
            let Some(sessions) = sessions.upgrade() else {
                return;
            };
            some.iter().for_each(|socket| sessions.save(socket));
            drop(sessions);
            tokio::time::sleep(BREATH).await;
        }
    }
}

/// How many sessions are written in a row, and how long others may write in between.
const SAVED_AT_ONCE: usize = 256;
const BREATH: Duration = Duration::from_millis(10);

impl Adapter for Streams {
    fn name(&self) -> &'static str {
        NAME
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let main = main_channel(&self.config, opening.namespace);
        let recovery = opening.recovery;
        let speaker = Speaker {
            stream: self.stream.clone(),
            namespace: opening.namespace.into(),
            uid: self.uid.clone(),
            sessions: recovery.map(|config| self.sessions(&opening, &main, config)),
            main,
            is_sharded: self.config.sharded_pub_sub,
        };
        let topics = speaker.topics();
        let (uid, link) = (self.uid.clone(), self.stream.link.clone());
        let member = Member::new(&opening, uid, link, self.config.request_timeout, speaker);
        let member = Arc::new(member);
        self.router.add(&member);
        Box::new(Open::new(member, topics))
    }

    fn health(&self) -> Health {
        self.stream.link.status().health()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.stream.link.status().changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.reading.0.abort();
        self.stream.link.close()
    }
}

impl CanServerEmit for Streams {}
impl CanRecover for Streams {}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("stream", &self.stream)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
