//! What adapters may ask of this server, and what it tells the other ones.

use super::{Namespace, ServerReplies, deadline, watch::read_event};
use crate::{
    namespace::heard::{Ceiling, Hearing},
    rooms::{
        EmitError, Selection, Sent, SocketId,
        adapter::{self, Answer, Answers, Broadcast, Command, Local, Question, SocketInfo},
    },
    wire::Data,
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

impl Namespace {
    /// Tells the other servers of an event.
    pub(crate) fn tell(&self, event: &Data) -> Result<Sent, EmitError> {
        self.check_open()?;
        Ok(Sent::new(0, self.channel().tell(event)))
    }

    /// Tells the other servers of an event, and collects what they answer.
    pub(crate) fn ask_servers(
        &self,
        event: &Data,
        timeout: Duration,
    ) -> Result<ServerReplies, EmitError> {
        self.check_open()?;
        let deadline = deadline(timeout);
        let (nobody, question) = (Selection::of::<&str>([]), Question::Servers(event));
        let answers = self.channel().ask(&nobody, question, deadline.into_std());
        Ok(ServerReplies::new(answers, deadline))
    }

    /// Has the handler of an event of another server run, in a task of its own.
    pub(crate) fn hear(&self, event: Data) -> adapter::BoxFuture<Option<Data>> {
        let nothing = || Box::pin(std::future::ready(None));
        let (Some(handlers), Some(this)) = (self.handlers(), self.this.upgrade()) else {
            return nothing();
        };
        let Some(place) = self.place_for(&event) else {
            return nothing();
        };
        let Some((name, args)) = read_event(&event) else {
            tracing::debug!(namespace = ?self.path, "another server told of an event that can't be read");
            return nothing();
        };
        let Some(handling) = handlers.hear(this, &name, args) else {
            tracing::debug!(namespace = ?self.path, event = ?name, "nothing handles this event of another server");
            return nothing();
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!(namespace = ?self.path, event = ?name, "the adapter hands an event over outside a runtime");
            return nothing();
        };
        let running = runtime.spawn(async move {
            let _place = place;
            handling.await
        });
        Box::pin(async move {
            running.await.unwrap_or_else(|error| {
                tracing::error!(event = ?name, %error, "the handler of a server's event panicked");
                None
            })
        })
    }
}

impl Namespace {
    /// A place for an event of another server, as long as not too many are being handled.
    fn place_for(&self, event: &Data) -> Option<Hearing> {
        let hub = self.hub()?;
        let config = hub.config();
        let ceiling = Ceiling {
            events: config.max_server_events,
            bytes: config.max_server_event_bytes,
        };
        let place = hub.heard().take(event, ceiling);
        if place.is_none() {
            self.count_refused("too_many_server_events");
        }
        place
    }
}

impl Local for Namespace {
    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> usize {
        // Nobody here waits for room: those who emit are elsewhere.
        let (queued, delivery) = self.deliver(to, broadcast);
        self.count_delivered(queued, &delivery);
        queued
    }

    fn obey(&self, to: &Selection, command: &Command) {
        let snapshot = self.read().select(to);
        for peer in snapshot.iter().map(|recipient| &recipient.peer) {
            match command {
                Command::Join(rooms) => drop(peer.join(rooms.clone())),
                Command::Leave(rooms) => drop(peer.leave(rooms.clone())),
                Command::Disconnect { close } => peer.disconnect(*close),
            }
        }
    }

    fn ask(&self, to: &Selection, data: Data, by: std::time::Instant) -> (Answers, usize) {
        let snapshot = self.read().select(to);
        let peers = snapshot.iter().map(|recipient| &recipient.peer);
        let asked = snapshot.iter().count();
        let timeout = by.saturating_duration_since(Instant::now().into_std());
        let answers: Answers = match self.ask(peers, false, data, None, timeout) {
            Ok(replies) => Box::pin(replies.filter_map(async |(from, answer)| {
                answer.ok().map(|args| Answer::Acked(from, args))
            })),
            Err(_) => Box::pin(futures_util::stream::empty()),
        };
        (answers, asked)
    }

    fn hear(&self, event: Data) -> adapter::BoxFuture<Option<Data>> {
        self.hear(event)
    }

    fn sockets(&self, to: &Selection) -> Vec<SocketInfo> {
        self.describe(to)
    }

    fn rooms(&self) -> Vec<String> {
        self.rooms()
    }

    fn has_room(&self, room: &str) -> bool {
        self.read().count(room) > 0
    }

    fn rooms_of(&self, socket: &SocketId) -> Option<Vec<String>> {
        let members = self.read();
        let (slot, _) = members.find(socket.as_str())?;
        Some(members.rooms_of(slot).map(str::to_owned).collect())
    }

    fn evict(&self, socket: &SocketId) {
        let members = self.read();
        let found = members.find(socket.as_str());
        let peer = found.map(|(_, recipient)| recipient.peer.clone());
        drop(members);
        match peer {
            Some(peer) => peer.evict(),
            // It may be on its way out, and the adapter not know yet.
            None => self.catch_up(),
        }
    }
}
