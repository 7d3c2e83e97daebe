//! Pub/sub as `@socket.io/redis-adapter` does it.

use crate::{
    ConnectError, Redis, emitter,
    endpoint::Reach,
    link::{Kind, Link, Listener, Reply, Topic},
    member::{Member, Voice},
    message::{Envelope, Message},
    open::{Mode, Open},
    protocol::{Malformed, classic},
};
use redis::Value;
use rooms_layer::{
    Adapter, SocketId,
    bounds::CanServerEmit,
    rooms::{
        Selection,
        adapter::{AdapterError, BoxFuture, Broadcast, Channel, Confirmed, Health, Opening},
    },
    wire::msgpack::WriteError,
};
use std::{sync::Arc, time::Duration};

/// Settings of [`Classic`]. All servers of a cluster have the same prefix.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClassicConfig {
    /// What the names of channels begin with. Default `socket.io`, as `key` of Node's adapter. Clusters that share a Redis need
    /// different ones, and none may be the beginning of another.
    pub prefix: String,
    /// How long acknowledgements are waited for on behalf of another server that does not say. Default 5 s, as
    /// `requestsTimeout` of Node's adapter.
    pub request_timeout: Duration,
    /// Whether only the server that asks hears the answers. Default true. Servers with a Node adapter before 7.1 do not: where
    /// there are any, set it to false, and all servers hear all answers. It is `publishOnSpecificResponseChannel` of Node's
    /// adapter.
    pub answer_asker_only: bool,
}

impl Default for ClassicConfig {
    fn default() -> Self {
        Self {
            prefix: "socket.io".to_owned(),
            request_timeout: Duration::from_secs(5),
            answer_asker_only: true,
        }
    }
}

/// Joins servers through Redis pub/sub, together with Node's servers that use `@socket.io/redis-adapter` 7 or 8.
///
/// Every server hears every broadcast of its namespaces, and drops what is for rooms without a member there. Works with every
/// Redis since 6, alone, behind Sentinels, or as a Cluster, and needs nothing of it but pub/sub.
///
/// # Promises
///
/// - What a server publishes to a namespace arrives at the others at most once and in its order.
/// - What is published while a server is cut off from Redis does not reach it. [`Adapter::health`] tells, and what the server
///   itself publishes meanwhile fails for whoever awaits it.
/// - Questions to other servers end by their deadline, with what has arrived.
///
/// ```no_run
/// use rooms_layer::RoomsLayer;
/// use rooms_redis::{Classic, Redis};
///
/// # async fn example() -> Result<(), rooms_redis::ConnectError> {
/// let adapter = Classic::connect(Redis::standalone("redis://127.0.0.1/")?).await?;
/// let rooms = RoomsLayer::with_adapter(adapter);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Classic {
    link: Arc<Link>,
    config: Arc<ClassicConfig>,
    uid: Arc<str>,
}

impl Classic {
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
        Self::connect_with(redis, ClassicConfig::default()).await
    }

    /// Connects, with settings.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does, and if the prefix is empty.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect_with(redis: Redis, config: ClassicConfig) -> Result<Self, ConnectError> {
        if config.prefix.is_empty() {
            return Err(ConnectError::Setting {
                setting: "prefix",
                fault: "is empty, so that every channel of Redis would be heard",
            });
        }
        let link = Link::connect(redis, Reach::AnyNode, NAME).await?;
        Ok(Self {
            link: Arc::new(link),
            config: Arc::new(config),
            uid: SocketId::random().into(),
        })
    }
}

const NAME: &str = "redis";

impl Adapter for Classic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let channels = Channels::new(&self.config.prefix, opening.namespace, &self.uid);
        let topics = channels.topics();
        let speaker = Speaker {
            link: self.link.clone(),
            namespace: opening.namespace.into(),
            uid: Some(self.uid.clone()),
            channels,
            answer_asker_only: self.config.answer_asker_only,
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

impl CanServerEmit for Classic {}

/// The channels of one namespace.
struct Channels {
    /// Broadcasts to everybody; those to one room go to a channel that begins with it.
    broadcasts: Arc<str>,
    requests: Arc<str>,
    responses: Arc<str>,
    own_responses: Arc<str>,
}

impl Channels {
    fn new(prefix: &str, namespace: &str, uid: &str) -> Self {
        Self {
            broadcasts: format!("{prefix}#{namespace}#").into(),
            requests: format!("{prefix}-request#{namespace}#").into(),
            responses: format!("{prefix}-response#{namespace}#").into(),
            own_responses: format!("{prefix}-response#{namespace}#{uid}#").into(),
        }
    }

    fn topics(&self) -> [Topic; 4] {
        let pattern = format!("{}*", escaped(&self.broadcasts));
        [
            Topic::new(Kind::Pattern, pattern),
            Topic::new(Kind::Channel, self.requests.clone()),
            Topic::new(Kind::Channel, self.responses.clone()),
            Topic::new(Kind::Channel, self.own_responses.clone()),
        ]
    }

    /// Where a broadcast goes.
    fn of_broadcast(&self, to: &Selection) -> String {
        match to.rooms.as_deref() {
            Some([room]) => format!("{}{room}#", self.broadcasts),
            _ => self.broadcasts.to_string(),
        }
    }

    /// The room that a channel is for; `Err` if it is none of broadcasts, which a glob pattern of somebody else's may match.
    fn room<'a>(&self, channel: &'a str) -> Result<Option<&'a str>, NotOurs> {
        match channel.strip_prefix(&*self.broadcasts) {
            Some("") => Ok(None),
            Some(room) => room.strip_suffix('#').map(Some).ok_or(NotOurs),
            None => Err(NotOurs),
        }
    }
}

struct NotOurs;

/// The name as a glob pattern that matches nothing else.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if r"*?[]\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// How a namespace of a server or an emitter is heard.
pub(crate) struct Speaker {
    link: Arc<Link>,
    namespace: Box<str>,
    /// Emitters have none.
    uid: Option<Arc<str>>,
    channels: Channels,
    answer_asker_only: bool,
}

impl Speaker {
    /// That of an emitter, which nobody answers.
    pub(crate) fn of_emitter(link: Arc<Link>, config: &ClassicConfig, namespace: &str) -> Self {
        Self {
            link,
            namespace: namespace.into(),
            uid: None,
            channels: Channels::new(&config.prefix, namespace, emitter::UID),
            answer_asker_only: true,
        }
    }

    fn publish(&self, channel: &str, payload: Result<Vec<u8>, WriteError>) -> Reply {
        let payload = match payload {
            Ok(payload) => payload,
            Err(error) => return Reply::refused(error),
        };
        let command = redis::cmd("PUBLISH").arg(channel).arg(payload).take();
        self.link.send(&self.channels.broadcasts, command)
    }
}

impl Voice for Speaker {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        let uid = self.uid.as_deref().unwrap_or(emitter::UID);
        let payload = classic::write_broadcast(uid, &self.namespace, to, broadcast);
        let channel = self.channels.of_broadcast(to);
        self.publish(&channel, payload).confirmed()
    }

    fn say(&self, message: &Message) -> Confirmed {
        // Of what emitters say, only events for servers say who says it.
        let uid = match message {
            Message::Tell { .. } => Some(self.uid.as_deref().unwrap_or(emitter::UID)),
            _ => self.uid.as_deref(),
        };
        let payload = classic::write_request(uid, &self.namespace, message);
        self.publish(&self.channels.requests, payload).confirmed()
    }

    fn answer(&self, asker: Option<&str>, message: &Message) -> Confirmed {
        let shared = &self.channels.responses;
        let channel = match (asker, message) {
            // What servers answer to an event is expected there alone.
            (_, Message::Heard { .. }) => shared.to_string(),
            (Some(asker), _) if self.answer_asker_only => format!("{shared}{asker}#"),
            _ => shared.to_string(),
        };
        let payload = classic::write_response(message);
        self.publish(&channel, payload).confirmed()
    }

    fn ask(&self, question: &Message) -> BoxFuture<Result<usize, AdapterError>> {
        let uid = self.uid.as_deref();
        let payload = classic::write_request(uid, &self.namespace, question);
        let counted = self.link.redis().is_cluster().then(|| {
            let mut count = redis::cmd("PUBSUB");
            count.arg("NUMSUB").arg(&*self.channels.requests);
            self.link.query_all_nodes(count)
        });
        let reply = self.publish(&self.channels.requests, payload);
        Box::pin(async move {
            // Redis tells how many it has passed the question on to. A node of a Cluster knows only of its own.
            let heard = match (counted, reply.value().await?) {
                (Some(counted), _) => subscribers(&counted.await?),
                (None, heard) => number(Some(&heard)),
            };
            // This server is one of them.
            Ok(heard.saturating_sub(1))
        })
    }
}

/// The number behind the name of the one channel that was asked for.
pub(crate) fn subscribers(counted: &Value) -> usize {
    match counted {
        Value::Array(pair) => number(pair.last()),
        Value::Map(pairs) => number(pairs.last().map(|(_, number)| number)),
        _ => 0,
    }
}

pub(crate) fn number(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Int(number)) => usize::try_from(*number).unwrap_or_default(),
        _ => 0,
    }
}

impl Mode for Speaker {}

impl Listener for Member<Speaker> {
    fn heard(&self, topic: &Topic, channel: &str, payload: &[u8]) {
        match self.read(topic, channel, payload) {
            Ok(Some(envelope)) => self.take(envelope),
            Ok(None) => {}
            Err(error) => tracing::warn!(?channel, %error, "dropped a message of another server"),
        }
    }
}

impl Member<Speaker> {
    /// Reads a message, unless it can be told from its channel that it is of no concern.
    fn read(
        &self,
        topic: &Topic,
        channel: &str,
        payload: &[u8],
    ) -> Result<Option<Envelope>, Malformed> {
        let channels = &self.voice.channels;
        if topic.name == channels.requests {
            return classic::read_request(payload, &self.limits).map(Some);
        }
        if topic.kind == Kind::Channel {
            return match self.calls.is_empty() {
                true => Ok(None),
                false => classic::read_response(payload, &self.limits).map(Some),
            };
        }
        let is_here = |room| {
            let local = self.local.upgrade();
            local.is_some_and(|local| local.has_room(room))
        };
        match channels.room(channel) {
            Err(NotOurs) => Ok(None),
            Ok(Some(room)) if !is_here(room) => Ok(None),
            // Redis brings a server its own messages too.
            Ok(_) if classic::is_of(payload, &self.uid) => Ok(None),
            Ok(_) => classic::read_broadcast(payload, &self.limits).map(Some),
        }
    }
}
