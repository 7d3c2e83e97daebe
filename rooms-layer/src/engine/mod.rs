//! Live connections over any transport: the one task of a connection, its mailbox, and what all connections of a server
//! share (flushers, timers, the registry).
//!
//! Knows sessions and frames. Knows nothing of namespaces, rooms or HTTP: what arrives goes up through [`Inbound`], what
//! leaves is pushed into a [`Mailbox`] as framed bytes. A client that polls comes with requests, which find its connection
//! as a [`Session`].

mod config;
mod connection;
mod counters;
mod ended;
mod flusher;
mod held;
mod inbound;
mod mailbox;
mod pipe;
mod polling;
mod probe;
mod registry;
mod requests;
mod slow;
mod timers;

use crate::session::{CloseCause, SessionId};
use registry::Registry;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};
use timers::Timers;

/// What connections speak, for the floors that have no other word with the wire.
pub(crate) use crate::wire::engine_io::{Body, Form, Revision};
pub use config::EngineConfig;
pub(crate) use connection::Connection;
pub(crate) use counters::{Count, Counters};
pub(crate) use flusher::{Batch, Flusher};
pub(crate) use held::Held;
pub(crate) use inbound::{Inbound, Message};
pub(crate) use mailbox::{Mailbox, Pushed, Via};
pub(crate) use pipe::{Pipe, at_once};
pub(crate) use polling::Rejected;
pub(crate) use registry::{BadId, Entry};
pub(crate) use requests::{Get, Post, Session};
pub(crate) use slow::Delivery;
pub use slow::SlowClients;

/// What all connections of one server share.
pub(crate) struct Engine {
    /// Settled by the first who asks, so that handles can be had while a server is put together.
    config: OnceLock<EngineConfig>,
    flusher: Arc<Flusher>,
    timers: Arc<Timers>,
    registry: Arc<Registry>,
    counters: Counters,
    /// See [`Held`].
    held: AtomicUsize,
}

/// What waits in the queues of all clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Queues {
    pub(crate) polling: usize,
    pub(crate) websocket: usize,
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
}

impl Engine {
    /// Nothing runs until the first connection: a server may be put together outside a runtime.
    pub(crate) fn new() -> Self {
        Self {
            config: OnceLock::new(),
            flusher: Arc::default(),
            timers: Arc::default(),
            registry: Arc::default(),
            counters: Counters::default(),
            held: AtomicUsize::new(0),
        }
    }

    /// Settles the configuration; false if it was settled before.
    pub(crate) fn configure(&self, config: EngineConfig) -> bool {
        self.config.set(config).is_ok()
    }

    pub(crate) fn config(&self) -> &EngineConfig {
        self.config.get_or_init(EngineConfig::default)
    }

    pub(crate) fn flusher(&self) -> &Arc<Flusher> {
        &self.flusher
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.registry.len()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How much of unfinished messages is held for all clients together, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Looks at every connection, one after the other.
    pub(crate) fn queues(&self) -> Queues {
        let mut all = Queues::default();
        for mailbox in self.registry.all() {
            match mailbox.via() {
                Some(Via::Polling) => all.polling += 1,
                Some(Via::WebSocket) => all.websocket += 1,
                None => {}
            }
            let (packets, bytes) = mailbox.depth();
            all.packets += packets;
            all.bytes += bytes;
        }
        all
    }

    /// Sets an id aside for a connection to be.
    pub(crate) fn reserve(&self) -> Entry {
        self.registry.reserve()
    }

    /// Sets an id of the application's aside.
    ///
    /// # Errors
    ///
    /// Fails for an id that could not travel, or that a connection has: two clients would read each other's packets.
    pub(crate) fn reserve_id(&self, id: &str) -> Result<Entry, BadId> {
        let session = SessionId::parse(id).ok_or(BadId::Odd)?;
        self.registry.reserve_id(session)
    }

    /// Takes over a pipe that speaks WebSocket from here on, and that revision of Engine.IO. `received` was read from it already.
    ///
    /// The open packet is queued; `inbound` is made from the mailbox; nothing moves until the returned future is polled.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, when it is the first connection: the shared tasks are spawned then.
    pub(crate) fn connect<I: Inbound>(
        self: &Arc<Self>,
        entry: Entry,
        revision: Revision,
        pipe: Arc<dyn Pipe>,
        received: &[u8],
        inbound: impl FnOnce(&Arc<Mailbox>) -> I,
    ) -> Connection<I> {
        self.open(entry, revision.into(), Some(pipe), &[], received, inbound)
    }

    /// Opens a session that polls, and returns the body of its first response with it. `form` is what its bodies are written in,
    /// `upgrades` are the transports that its client may change to.
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    pub(crate) fn connect_polling<I: Inbound>(
        self: &Arc<Self>,
        entry: Entry,
        form: Form,
        upgrades: &[&str],
        inbound: impl FnOnce(&Arc<Mailbox>) -> I,
    ) -> (Connection<I>, Body) {
        let connection = self.open(entry, form, None, upgrades, &[], inbound);
        let body = connection.mailbox().take_body();
        (connection, body)
    }

    fn open<I: Inbound>(
        self: &Arc<Self>,
        mut entry: Entry,
        form: Form,
        pipe: Option<Arc<dyn Pipe>>,
        upgrades: &[&str],
        received: &[u8],
        inbound: impl FnOnce(&Arc<Mailbox>) -> I,
    ) -> Connection<I> {
        self.flusher.start();
        self.timers.start(&self.flusher);
        let config = self.config();
        let mailbox = Arc::new(Mailbox::new(
            form,
            pipe.clone(),
            config,
            self.timers.next_key(),
        ));
        mailbox.open(entry.session(), upgrades, config);
        entry.fill(&mailbox);
        self.timers.schedule(&mailbox);
        self.counters.add_opened();
        Connection::new(
            pipe,
            inbound(&mailbox),
            mailbox,
            self.clone(),
            entry,
            received,
        )
    }

    /// The session that a request names with its secret id, unless it is over.
    pub(crate) fn session(self: &Arc<Self>, sid: &str) -> Option<Session> {
        let mailbox = self.registry.find(&SessionId::parse(sid)?)?;
        Session::new(self.clone(), mailbox)
    }

    /// Whether an id that is no session's here may be one on another server: it has the form of those that servers make, and none
    /// went by it here lately. Ids that applications make have any form.
    pub(crate) fn may_be_elsewhere(&self, sid: &str) -> bool {
        match SessionId::parse(sid) {
            Some(session @ SessionId::Token(_)) => !self.registry.remembers(&session),
            _ => false,
        }
    }

    /// Whether the server was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.registry.is_closed()
    }

    /// Closes every connection, with what is queued for it still sent.
    pub(crate) fn close(&self, cause: CloseCause) {
        self.registry.close(cause);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.flusher.stop();
        self.timers.stop();
    }
}

#[cfg(test)]
mod tests;
