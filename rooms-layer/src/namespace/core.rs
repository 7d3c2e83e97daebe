//! One namespace of this server, untyped.

use super::{Handlers, Hub, NamespaceConfig, PathValues, Peer, Replies, acks::Collector};
use crate::{
    engine::{Batch, Engine, Flusher, Mailbox, Pushed},
    rooms::{
        AckError, Adapter, Changed, Directory, EmitError, Flags, InMemory, MountError, Selection,
        Sent, Slot, SocketId,
        adapter::{
            self, Answer, Answers, Broadcast, Channel, Command, Confirmed, Local, Moved, Opening,
            Question, SocketInfo,
        },
    },
    session::after,
    wire::{Args, Data, Frames, socket_io},
};
use futures_util::StreamExt;
use std::{
    any::TypeId,
    sync::{
        Arc, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// One namespace: its path, its contract, its peers and their rooms, its handlers.
pub(crate) struct Namespace {
    path: Box<str>,
    contract: Contract,
    /// What the path of a dynamic namespace says.
    values: Option<PathValues>,
    /// Set when it is mounted. A handle may be had before.
    handlers: OnceLock<Arc<dyn Handlers>>,
    members: RwLock<Directory<Recipient>>,
    /// Opened by the first who needs it, outside the locks of the hub, or when the server starts.
    channel: OnceLock<Box<dyn Channel>>,
    /// Ids of acknowledgements: one counter for all peers, from 0, as in Node. A broadcast takes one.
    ack_ids: AtomicU64,
    engine: Arc<Engine>,
    hub: Weak<Hub>,
    this: Weak<Self>,
}

/// The type that stands for a namespace in the application.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contract {
    pub(crate) id: TypeId,
    pub(crate) name: &'static str,
}

/// What a namespace is made of.
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    pub(super) contract: Contract,
    pub(super) values: Option<PathValues>,
}

/// Where a broadcast goes: the mailbox without a detour, and whose it is.
#[derive(Clone)]
struct Recipient {
    mailbox: Arc<Mailbox>,
    peer: Arc<Peer>,
}

impl Namespace {
    pub(super) fn new(place: Place<'_>, engine: Arc<Engine>, hub: Weak<Hub>) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            path: place.path.into(),
            contract: place.contract,
            values: place.values,
            handlers: OnceLock::new(),
            members: RwLock::default(),
            channel: OnceLock::new(),
            ack_ids: AtomicU64::new(0),
            engine,
            hub,
            this: this.clone(),
        })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn contract(&self) -> Contract {
        self.contract
    }

    /// Itself, for those who name its contract.
    pub(super) fn under(self: Arc<Self>, contract: Contract) -> Result<Arc<Self>, MountError> {
        match self.contract.id == contract.id {
            true => Ok(self),
            false => Err(MountError::OtherContract {
                path: self.path.to_string(),
                mounted: self.contract.name,
                asked: contract.name,
            }),
        }
    }

    /// What the path of a dynamic namespace says.
    pub(crate) fn values(&self) -> Option<&PathValues> {
        self.values.as_ref()
    }

    /// The server, unless it is gone.
    pub(crate) fn hub(&self) -> Option<Arc<Hub>> {
        self.hub.upgrade()
    }

    /// Sets the handlers; false if they were set before.
    pub(super) fn mount(&self, handlers: Arc<dyn Handlers>) -> bool {
        self.handlers.set(handlers).is_ok()
    }

    pub(super) fn handlers(&self) -> Option<&Arc<dyn Handlers>> {
        self.handlers.get()
    }

    /// The way to the other servers.
    pub(super) fn channel(&self) -> &dyn Channel {
        let channel = self.channel.get_or_init(|| {
            let opening = Opening::new(&self.path, self.this.clone());
            match self.hub() {
                Some(hub) => hub.adapter().open(opening),
                // Nobody is left to emit to.
                None => InMemory.open(opening),
            }
        });
        &**channel
    }

    pub(super) fn flusher(&self) -> &Flusher {
        self.engine.flusher()
    }

    /// How long an acknowledgement is waited for where nobody says.
    pub(crate) fn ack_timeout(&self) -> Duration {
        let hub = self.hub();
        hub.map_or_else(
            || NamespaceConfig::default().ack_timeout,
            |hub| hub.config().ack_timeout,
        )
    }

    pub(super) fn check_open(&self) -> Result<(), EmitError> {
        match self.engine.is_closed() {
            true => Err(EmitError::Closed),
            false => Ok(()),
        }
    }

    /// Emits to every selected socket, on every server.
    pub(crate) fn emit(&self, to: &Selection, flags: Flags, data: Data) -> Result<Sent, EmitError> {
        self.check_open()?;
        let broadcast = Broadcast::new(data).volatile(flags.volatile);
        let confirmed = match flags.local {
            true => Confirmed::now(),
            false => self.channel().broadcast(to, &broadcast),
        };
        let local = self.deliver(to, broadcast);
        Ok(Sent::new(local, confirmed))
    }

    /// Emits to every selected socket, on every server, and collects the answers.
    pub(crate) fn emit_with_ack(
        &self,
        to: &Selection,
        flags: Flags,
        data: Data,
        timeout: Duration,
    ) -> Result<Replies, EmitError> {
        let deadline = deadline(timeout).into_std();
        let remote = match flags.local {
            true => None,
            false => self.channel().ask(to, Question::Acks(&data), deadline),
        };
        let snapshot = self.read().select(to);
        let peers = snapshot.iter().map(|recipient| &recipient.peer);
        self.ask(peers, flags.volatile, data, remote, timeout)
    }

    /// The ids of the selected sockets of this server.
    pub(crate) fn sockets(&self, to: &Selection) -> Vec<SocketId> {
        let snapshot = self.read().select(to);
        snapshot
            .iter()
            .map(|recipient| recipient.peer.id().clone())
            .collect()
    }

    /// How many sockets of this server are selected.
    pub(crate) fn count(&self, to: &Selection) -> usize {
        let snapshot = self.read().select(to);
        snapshot.iter().count()
    }

    /// The peer with this id, if it is on this server.
    #[cfg(feature = "test")]
    pub(crate) fn peer(&self, id: &SocketId) -> Option<Arc<Peer>> {
        let members = self.read();
        let (_, recipient) = members.find(id.as_str())?;
        Some(recipient.peer.clone())
    }

    /// The rooms that have a member on this server, those named by a socket's own id among them.
    pub(crate) fn rooms(&self) -> Vec<String> {
        self.read().rooms().map(str::to_owned).collect()
    }

    /// Has every selected socket, on every server, carry out a command.
    pub(super) fn command(&self, to: &Selection, command: &Command) -> Changed {
        let confirmed = self.channel().command(to, command);
        self.obey(to, command);
        Changed { confirmed }
    }

    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> usize {
        let Broadcast { data, volatile, .. } = broadcast;
        // Recipients are chosen under the lock and delivered to outside of it.
        let snapshot = self.read().select(to);
        if snapshot.is_empty() {
            return 0;
        }
        if let Some(watch) = self.watch(&data) {
            let peers = snapshot.iter().map(|recipient| &recipient.peer);
            peers.for_each(|peer| watch.tell(peer));
        }
        let packet = Frames::from(socket_io::frame_event(data, &self.path, None));
        let mut batch = Batch::new(self.flusher());
        let (mut queued, mut dropped) = (0, 0);
        snapshot.for_each(
            |recipient| match recipient.mailbox.push(&packet, volatile) {
                Pushed::Marked => {
                    batch.add(&recipient.mailbox);
                    queued += 1;
                }
                Pushed::Queued => queued += 1,
                Pushed::Dropped => dropped += 1,
                Pushed::Refused => {}
            },
        );
        if dropped > 0 {
            tracing::debug!(namespace = ?self.path, dropped, "volatile event not sent to clients that can't take it");
        }
        queued
    }

    /// Puts an event to these peers and collects their answers.
    pub(super) fn ask<'a>(
        &self,
        peers: impl Iterator<Item = &'a Arc<Peer>>,
        volatile: bool,
        data: Data,
        remote: Option<Answers>,
        timeout: Duration,
    ) -> Result<Replies, EmitError> {
        self.check_open()?;
        let watch = self.watch(&data);
        let id = self.ack_ids.fetch_add(1, Ordering::Relaxed);
        let packet = Frames::from(socket_io::frame_event(data, &self.path, Some(id)));
        let collector = Arc::new(Collector::default());
        let mut batch = Batch::new(self.flusher());
        let mut asked = Vec::new();
        for peer in peers {
            // The answer is expected before it can be given.
            if !peer.owe_ack(id, &collector) {
                collector.expect_one();
                collector.put(peer.id().clone(), Err(AckError::Disconnected));
                continue;
            }
            if let Some(watch) = &watch {
                watch.tell(peer);
            }
            asked.push(peer.clone());
            let error = match peer.mailbox().push(&packet, volatile) {
                Pushed::Marked => {
                    batch.add(peer.mailbox());
                    continue;
                }
                Pushed::Queued => continue,
                Pushed::Refused => AckError::Disconnected,
                Pushed::Dropped => AckError::Dropped,
            };
            if peer.forget_ack(id) {
                collector.put(peer.id().clone(), Err(error));
            }
        }
        drop(batch);
        Ok(Replies::new(
            collector,
            id,
            asked,
            remote,
            deadline(timeout),
        ))
    }
}

/// Emits that are watched.
impl Namespace {
    /// Where the application watches its emits: what it is told.
    pub(super) fn watch(&self, data: &Data) -> Option<Watch<'_>> {
        let handlers = self.handlers()?;
        handlers
            .watches_outgoing()
            .then(|| Watch::new(&**handlers, data))?
    }
}

/// An event that goes out, read back for those who watch.
pub(super) struct Watch<'a> {
    handlers: &'a dyn Handlers,
    event: String,
    args: Args,
}

impl<'a> Watch<'a> {
    fn new(handlers: &'a dyn Handlers, data: &Data) -> Option<Self> {
        let elements = data.json().strip_prefix('[')?;
        let mut elements = serde_json::Deserializer::from_str(elements).into_iter();
        let read = Args::from_data(data).map(|args| (elements.next(), args));
        match read {
            Ok((Some(Ok(event)), args)) => Some(Self {
                handlers,
                event,
                args,
            }),
            _ => {
                tracing::warn!("an event can't be read back, and is not shown to those who watch");
                None
            }
        }
    }

    /// Tells that the event is about to be queued for a peer. No lock is held.
    pub(super) fn tell(&self, peer: &Arc<Peer>) {
        self.handlers.outgoing(peer, &self.event, &self.args);
    }
}

/// The index.
impl Namespace {
    fn read(&self) -> RwLockReadGuard<'_, Directory<Recipient>> {
        self.members.read().expect("no code panics under this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory<Recipient>> {
        self.members
            .write()
            .expect("no code panics under this lock")
    }

    /// Lets a peer in: from here on it receives broadcasts.
    pub(super) fn enter(&self, peer: &Arc<Peer>) {
        let recipient = Recipient {
            mailbox: peer.mailbox().clone(),
            peer: peer.clone(),
        };
        let mut members = self.write();
        let slot = members
            .insert(peer.id().clone(), recipient)
            .expect("120 random bits do not repeat");
        // Under the lock, so that whoever finds the peer finds its slot.
        peer.set_slot(slot);
        drop(members);
        let own = [peer.id().as_str().into()];
        drop(self.channel().moved(peer.id(), Moved::Joined(&own)));
    }

    /// Takes a peer out of all its rooms. It does not matter if it is out already.
    pub(super) fn exit(&self, peer: &Peer) {
        let Some(slot) = peer.slot() else {
            return;
        };
        let removed = self.write().remove(slot);
        if let Some(removed) = &removed {
            let rooms = removed.rooms.iter().map(|room| (*room.name).into());
            let rooms: Vec<_> = rooms.collect();
            drop(self.channel().moved(peer.id(), Moved::Gone(&rooms)));
        }
        // What was removed is dropped here, outside the lock.
    }

    pub(super) fn join_slot(&self, slot: Slot, id: &SocketId, rooms: &[Box<str>]) -> Confirmed {
        let mut members = self.write();
        let joined = changed(rooms, |room| members.join(slot, room).changed);
        drop(members);
        match joined.is_empty() {
            true => Confirmed::now(),
            false => self.channel().moved(id, Moved::Joined(&joined)),
        }
    }

    pub(super) fn leave_slot(&self, slot: Slot, id: &SocketId, rooms: &[Box<str>]) -> Confirmed {
        let mut members = self.write();
        let left = changed(rooms, |room| members.leave(slot, room).changed);
        drop(members);
        match left.is_empty() {
            true => Confirmed::now(),
            false => self.channel().moved(id, Moved::Left(&left)),
        }
    }

    pub(super) fn rooms_of(&self, slot: Slot) -> Vec<String> {
        self.read().rooms_of(slot).map(str::to_owned).collect()
    }

    pub(super) fn is_in(&self, slot: Slot, room: &str) -> bool {
        self.read().contains(slot, room)
    }
}

impl Local for Namespace {
    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> usize {
        self.deliver(to, broadcast)
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

    fn hear(&self, _event: Data) -> adapter::BoxFuture<Option<Data>> {
        // No event has a handler yet.
        Box::pin(std::future::ready(None))
    }

    fn sockets(&self, to: &Selection) -> Vec<SocketInfo> {
        let snapshot = self.read().select(to);
        let describe = |recipient: &Recipient| {
            let peer = &recipient.peer;
            let rooms = peer.rooms().into_iter().map(Into::into);
            SocketInfo::new(peer.id().clone(), rooms.collect())
        };
        snapshot.iter().map(describe).collect()
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
        if let Some(peer) = peer {
            peer.disconnect(true);
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if self.values.is_some()
            && let Some(hub) = self.hub()
        {
            hub.forget(&self.path);
        }
    }
}

/// Those of `rooms` for which `change` says that something changed.
fn changed(rooms: &[Box<str>], mut change: impl FnMut(&str) -> bool) -> Vec<Box<str>> {
    rooms.iter().filter(|room| change(room)).cloned().collect()
}

fn deadline(timeout: Duration) -> Instant {
    Instant::from_std(after(Instant::now().into_std(), timeout))
}
