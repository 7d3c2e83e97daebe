//! One namespace's way to the other servers.

use crate::{cluster::Cluster, outbox::Outbox, protocol, recovery::Keeping, subjects::has_subject};
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{
            AdapterError, Answers, Broadcast, Channel, Command, Confirmed, Moved, Publisher,
            Question, Recovery,
        },
    },
    wire::{Data, msgpack::WriteError},
};
use std::{sync::Arc, time::Instant};

/// A way into a namespace, for those who only speak.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    outbox: Outbox,
    namespace: Arc<str>,
}

impl Way {
    pub(crate) fn new(outbox: Outbox, namespace: Arc<str>) -> Self {
        Self { outbox, namespace }
    }

    /// Where what is selected hears: the subject of a room where it is one room, and otherwise that of everybody. `None` where it
    /// is nobody.
    fn subject(&self, to: &Selection) -> Option<String> {
        let subjects = self.outbox.subjects();
        let room = match to.rooms.as_deref() {
            Some([]) => return None,
            Some([room]) => subjects.room(&self.namespace, room),
            _ => None,
        };
        Some(room.unwrap_or_else(|| subjects.namespace(&self.namespace)))
    }

    fn send(&self, subject: String, written: Result<bytes::Bytes, WriteError>) -> Confirmed {
        match written {
            Ok(message) => self.outbox.send(subject, message),
            Err(error) => Confirmed::when(std::future::ready(Err(AdapterError::new(error)))),
        }
    }
}

impl Publisher for Way {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        let Some(subject) = self.subject(to) else {
            return Confirmed::now();
        };
        let header = self.outbox.header();
        let written = protocol::broadcast(header, &self.namespace, to, broadcast);
        self.send(subject, written)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        let header = self.outbox.header();
        let subject = self.subject(to);
        match subject.zip(protocol::command(header, &self.namespace, to, command)) {
            Some((subject, message)) => self.send(subject, Ok(message)),
            None => Confirmed::now(),
        }
    }

    fn tell(&self, event: &Data) -> Confirmed {
        let subject = self.outbox.subjects().namespace(&self.namespace);
        let written = protocol::tell(self.outbox.header(), &self.namespace, event);
        self.send(subject, written)
    }
}

/// The same, for a server.
pub(crate) struct Line {
    way: Way,
    cluster: Arc<Cluster>,
    number: u64,
    recovery: Option<Keeping>,
}

impl Line {
    pub(crate) fn new(way: Way, cluster: Arc<Cluster>, number: u64) -> Self {
        Self {
            way,
            cluster,
            number,
            recovery: None,
        }
    }

    pub(crate) fn with_recovery(mut self, recovery: Option<Keeping>) -> Self {
        self.recovery = recovery;
        self
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cluster.close(&self.way.namespace, self.number);
    }
}

impl Publisher for Line {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        self.way.broadcast(to, broadcast)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        self.way.command(to, command)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        self.way.tell(event)
    }
}

impl Channel for Line {
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers> {
        let (outbox, questions) = (&self.way.outbox, &self.cluster.questions);
        let (id, answers) = {
            let presence = self.cluster.presence();
            if presence.len() == 0 {
                return None;
            }
            questions.open(presence.servers(), deadline)
        };
        let time = deadline.saturating_duration_since(Instant::now());
        let header = outbox.header();
        let written = protocol::ask(header, id, &self.way.namespace, to, question, time)?;
        let sent = written.map_err(AdapterError::new);
        // To all servers, not only those with this namespace: each says at once that it has nothing to say.
        let sent = sent.and_then(|message| outbox.try_send(outbox.subjects().servers(), message));
        if let Err(error) = sent {
            tracing::warn!(%error, "the other servers are not asked");
            questions.give_up(id);
        }
        Some(answers)
    }

    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        if let Some(recovery) = &self.recovery {
            recovery.sessions().moved(socket, moved);
        }
        let (Moved::Joined(rooms) | Moved::Left(rooms) | Moved::Gone(rooms)) = moved else {
            return Confirmed::now();
        };
        let mut rooms = rooms
            .iter()
            .map(|room| &**room)
            .filter(|room| has_subject(room))
            .peekable();
        if rooms.peek().is_none() {
            return Confirmed::now();
        }
        self.cluster.moved(&self.way.namespace, rooms);
        self.way.outbox.confirmed()
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        self.recovery
            .as_ref()
            .map(|recovery| recovery as &dyn Recovery)
    }
}
