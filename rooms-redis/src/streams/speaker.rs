//! How a namespace is heard: what is for sockets through the stream, the rest through pub/sub.

use super::{recovery::Sessions, stream::Stream};
use crate::{
    StreamsConfig,
    classic::{number, subscribers},
    emitter,
    link::{Kind, Link, Listener, Reply, Topic},
    member::{Member, Voice},
    message::Message,
    open::Mode,
    protocol::{
        cluster::{self, Written},
        streams::{Entry, StreamId, write_entry},
    },
};
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{AdapterError, BoxFuture, Broadcast, Confirmed, Moved, Recovery},
    },
};
use std::sync::Arc;
use tokio::sync::oneshot;

pub(crate) struct Speaker {
    pub(super) stream: Stream,
    pub(super) namespace: Box<str>,
    pub(super) uid: Arc<str>,
    /// The channel that every server hears; those of single servers begin with its name.
    pub(super) main: Arc<str>,
    /// Whether these are channels of sharded pub/sub.
    pub(super) is_sharded: bool,
    /// Where clients may come back.
    pub(super) sessions: Option<Arc<Sessions>>,
}

/// The channel that every server hears.
pub(super) fn main_channel(config: &StreamsConfig, namespace: &str) -> Arc<str> {
    format!("{}#{namespace}#", config.channel_prefix).into()
}

impl Speaker {
    /// That of an emitter, which nobody answers.
    pub(crate) fn of_emitter(link: Arc<Link>, config: &StreamsConfig, namespace: &str) -> Self {
        Self {
            stream: Stream::new(link, config),
            namespace: namespace.into(),
            uid: emitter::UID.into(),
            main: main_channel(config, namespace),
            is_sharded: config.sharded_pub_sub,
            sessions: None,
        }
    }

    /// What it listens to.
    pub(super) fn topics(&self) -> [Topic; 2] {
        let kind = match self.is_sharded {
            true => Kind::Shard,
            false => Kind::Channel,
        };
        [
            Topic::new(kind, self.main.clone()),
            Topic::new(kind, self.channel_of(&self.uid)),
        ]
    }

    fn channel_of(&self, server: &str) -> Arc<str> {
        format!("{}{server}#", self.main).into()
    }

    fn publish(&self, channel: &Arc<str>, written: Written) -> Reply {
        let verb = if self.is_sharded {
            "SPUBLISH"
        } else {
            "PUBLISH"
        };
        match written.into_msgpack(&self.uid, &self.namespace) {
            Ok(payload) => {
                let command = redis::cmd(verb).arg(&**channel).arg(payload).take();
                self.link().send(channel, command)
            }
            Err(error) => Reply::refused(error),
        }
    }

    fn append(&self, written: Written) -> Confirmed {
        let fields = match write_entry(&self.uid, &self.namespace, written, false) {
            Ok(fields) => fields,
            Err(error) => return Reply::refused(error).confirmed(),
        };
        let (tell, told) = oneshot::channel();
        // Who has stopped waiting does not mind.
        self.stream
            .append(&fields, |outcome| drop(tell.send(outcome)));
        Confirmed::when(async {
            match told.await {
                Ok(outcome) => outcome.map(drop).map_err(|failed| failed.error),
                Err(_) => Err(AdapterError::new("the adapter was closed")),
            }
        })
    }

    fn link(&self) -> &Link {
        &self.stream.link
    }
}

impl Voice for Speaker {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        self.append(cluster::write_broadcast(to, broadcast))
    }

    fn say(&self, message: &Message) -> Confirmed {
        let written = cluster::write(message);
        match message {
            Message::Tell { .. } => self.publish(&self.main, written).confirmed(),
            _ => self.append(written),
        }
    }

    fn answer(&self, asker: Option<&str>, message: &Message) -> Confirmed {
        let channel = asker.map_or_else(|| self.main.clone(), |asker| self.channel_of(asker));
        self.publish(&channel, cluster::write(message)).confirmed()
    }

    fn ask(&self, question: &Message) -> BoxFuture<Result<usize, AdapterError>> {
        let counted = (self.link().redis().is_cluster() && !self.is_sharded).then(|| {
            let mut count = redis::cmd("PUBSUB");
            count.arg("NUMSUB").arg(&*self.main);
            self.link().query_all_nodes(count)
        });
        let reply = self.publish(&self.main, cluster::write(question));
        Box::pin(async move {
            let heard = match (counted, reply.value().await?) {
                (Some(counted), _) => subscribers(&counted.await?),
                (None, heard) => number(Some(&heard)),
            };
            // This server is one of them.
            Ok(heard.saturating_sub(1))
        })
    }
}

impl Mode for Speaker {
    fn follow(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        match &self.sessions {
            Some(sessions) => sessions.follow(socket, moved),
            None => Confirmed::now(),
        }
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        let sessions = self.sessions.as_deref()?;
        Some(sessions)
    }
}

impl Listener for Member<Speaker> {
    fn heard(&self, _topic: &Topic, channel: &str, payload: &[u8]) {
        match cluster::read(payload, &self.limits) {
            Ok(envelope) => match envelope.message {
                Message::Evict { socket, fence } => {
                    if let Some(sessions) = &self.voice.sessions {
                        sessions.evict(&socket, &fence);
                    }
                }
                _ => self.take(envelope),
            },
            Err(error) => tracing::warn!(?channel, %error, "dropped a message of another server"),
        }
    }
}

impl Member<Speaker> {
    /// Does what an entry of the stream says. Called in the order of the stream.
    pub(super) fn take_entry(&self, id: StreamId, entry: Entry) {
        let Entry { envelope, is_local } = entry;
        let is_own = envelope.from.as_deref() == Some(&*self.uid);
        let is_recorded =
            |broadcast: &Broadcast| self.voice.sessions.is_some() && !broadcast.volatile;
        match envelope.message {
            Message::Broadcast { to, broadcast } if is_recorded(&broadcast) => {
                // Ours too, which had no place before; those for one server are for that one.
                if (is_own || !is_local)
                    && let Some(local) = self.local.upgrade()
                {
                    local.deliver(&to, broadcast.at(id.to_string()));
                }
            }
            Message::Broadcast { .. } if is_local => {}
            _ => self.take(envelope),
        }
    }
}
