//! One namespace of this server, untyped.

mod index;
mod local;
mod watch;

use super::{
    Handlers, Hub, NamespaceConfig, PathValues, Peer, Replies, acks::Collector,
    gather::ServerReplies, linger::Linger, room_events::Watchers,
};
use crate::{
    engine::{Batch, Count, Delivery, Engine, Flusher, Mailbox, Pushed},
    rooms::{
        AckError, Adapter, Changed, Directory, EmitError, Flags, MountError, Selection, Sent,
        Snapshot,
        adapter::{
            Answers, Broadcast, Channel, Command, Confirmed, Local, Opening, Question, Recorded,
            Recovery,
        },
    },
    session::after,
    sync::{
        Mutex, MutexGuard, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    wire::{Data, Frames, socket_io},
};
use std::{
    any::TypeId,
    sync::{Arc, OnceLock, Weak},
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
    adapter: Arc<dyn Adapter>,
    /// Where clients may come back: held while a broadcast is recorded and queued, and while somebody joins or leaves, so
    /// that what was recorded for somebody is what was queued for them, in the same order.
    order: Mutex<()>,
    /// Told of what happens to rooms under the lock of `members`, so that they hear of it in its order.
    watchers: Watchers,
    /// How long it stays for clients that may come back.
    pub(super) lingers: Linger,
    /// How many clients are coming back, for whom broadcasts are held back.
    returning: AtomicUsize,
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
    pub(super) fn new(
        place: Place<'_>,
        engine: Arc<Engine>,
        adapter: Arc<dyn Adapter>,
        hub: Weak<Hub>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            path: place.path.into(),
            contract: place.contract,
            values: place.values,
            handlers: OnceLock::new(),
            members: RwLock::default(),
            channel: OnceLock::new(),
            adapter,
            order: Mutex::default(),
            watchers: Watchers::default(),
            lingers: Linger::default(),
            returning: AtomicUsize::new(0),
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

    /// Whether the adapter knows of it.
    pub(super) fn is_open(&self) -> bool {
        self.channel.get().is_some()
    }

    /// The way to the other servers.
    pub(super) fn channel(&self) -> &dyn Channel {
        let channel = self.channel.get_or_init(|| {
            let hub = self.hub();
            let recovery = hub.as_ref().and_then(|hub| hub.recovery());
            let opening = Opening::new(&self.path, self.this.clone());
            self.adapter.open(opening.with_recovery(recovery))
        });
        &**channel
    }

    /// What keeps the sessions of clients that may come back, if they may.
    pub(super) fn recovery(&self) -> Option<&dyn Recovery> {
        self.channel().recovery()
    }

    /// Where clients may come back, keeps what happens in one order.
    fn order(&self) -> Option<MutexGuard<'_, ()>> {
        let order = || self.order.lock().expect("no code panics under this lock");
        self.recovery().map(|_| order())
    }

    /// Waits until what is being done in that order is done: who records a broadcast has queued it then, and who leaves has told the
    /// adapter so.
    pub(super) fn catch_up(&self) {
        drop(self.order());
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn flusher(&self) -> &Flusher {
        self.engine.flusher()
    }

    /// How long an acknowledgement is waited for where nobody says.
    pub(crate) fn ack_timeout(&self) -> Duration {
        self.config(|config| config.ack_timeout)
    }

    fn config<T>(&self, read: impl FnOnce(&NamespaceConfig) -> T) -> T {
        match self.hub() {
            Some(hub) => read(hub.config()),
            None => read(&NamespaceConfig::default()),
        }
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
        let broadcast = Broadcast::new(data)
            .volatile(flags.volatile)
            .local(flags.local);
        if let Some(recovery) = self.recovery()
            && !flags.volatile
        {
            return Ok(self.emit_in_order(recovery, to, broadcast));
        }
        let confirmed = match flags.local {
            true => Confirmed::now(),
            false => self.channel().broadcast(to, &broadcast),
        };
        let (local, delivery) = self.deliver(to, broadcast);
        self.count_emit(local, &delivery);
        Ok(Sent::new(local, with_room(delivery, confirmed)))
    }

    /// Emits what clients get that come back.
    fn emit_in_order(&self, recovery: &dyn Recovery, to: &Selection, broadcast: Broadcast) -> Sent {
        let watch = self.watch(&broadcast.data);
        let order = self.order();
        let offset = match recovery.record(to, &broadcast) {
            Recorded::Now(offset) => offset,
            Recorded::Later(confirmed) => {
                // Its deliveries are counted when they are made, on this server too.
                self.count_emit(0, &Delivery::default());
                return Sent::new(0, confirmed);
            }
        };
        let broadcast = broadcast.at(offset);
        let confirmed = match broadcast.local {
            true => Confirmed::now(),
            false => self.channel().broadcast(to, &broadcast),
        };
        let snapshot = self.read().select(to);
        let (local, delivery) = self.queue(&snapshot, broadcast);
        drop(order);
        // Afterwards, since it is the application that watches.
        if let Some(watch) = watch {
            let peers = snapshot.iter().map(|recipient| &recipient.peer);
            peers.for_each(|peer| watch.tell(peer));
        }
        self.count_emit(local, &delivery);
        Sent::new(local, with_room(delivery, confirmed))
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

    /// Has every selected socket, on every server, carry out a command.
    pub(super) fn command(&self, to: &Selection, command: &Command) -> Changed {
        let confirmed = self.channel().command(to, command);
        self.obey(to, command);
        Changed { confirmed }
    }

    /// How this namespace delivers.
    pub(super) fn delivery(&self, volatile: bool) -> Delivery {
        let slow = self.handlers().map(|handlers| handlers.slow_clients());
        Delivery::new(volatile, slow.unwrap_or_default())
    }

    /// Counts an emit of this server, and what came of it here.
    pub(super) fn count_emit(&self, queued: usize, delivery: &Delivery) {
        self.engine.counters().add(Count::EventsOut, 1);
        self.count_delivered(queued, delivery);
    }

    fn count_delivered(&self, queued: usize, delivery: &Delivery) {
        let counters = self.engine.counters();
        counters.add(Count::Deliveries, queued);
        if delivery.dropped > 0 {
            counters.add(Count::Dropped, delivery.dropped);
            let dropped = delivery.dropped;
            tracing::debug!(namespace = ?self.path, dropped, "volatile events dropped for clients that can't take them");
        }
    }

    pub(crate) fn count_refused(&self, reason: &'static str) {
        self.engine.counters().add_refused(reason);
    }

    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> (usize, Delivery) {
        // Recipients are chosen under the lock and delivered to outside of it.
        let snapshot = self.read().select(to);
        if snapshot.is_empty() {
            return (0, Delivery::default());
        }
        if let Some(watch) = self.watch(&broadcast.data) {
            let peers = snapshot.iter().map(|recipient| &recipient.peer);
            peers.for_each(|peer| watch.tell(peer));
        }
        self.queue(&snapshot, broadcast)
    }

    /// Queues a broadcast for its recipients; for how many.
    fn queue(&self, snapshot: &Snapshot<Recipient>, broadcast: Broadcast) -> (usize, Delivery) {
        if snapshot.is_empty() {
            return (0, Delivery::default());
        }
        let mut delivery = self.delivery(broadcast.volatile);
        let offset = broadcast.offset.clone();
        let packet = self.frame(broadcast);
        // Looked at after the recipients were chosen: whoever is among them and on the way back is counted.
        let returning = self.returning.load(Ordering::Acquire) > 0;
        let mut batch = Batch::new(self.flusher());
        let mut queued = 0;
        snapshot.for_each(|recipient| {
            let held = match returning {
                true => recipient
                    .peer
                    .hold_back(&packet, offset.as_deref(), &mut delivery),
                false => None,
            };
            match held.unwrap_or_else(|| recipient.mailbox.deliver(&packet, &mut delivery)) {
                Pushed::Marked => {
                    batch.add(&recipient.mailbox);
                    queued += 1;
                }
                Pushed::Queued => queued += 1,
                Pushed::Dropped | Pushed::Refused => {}
            }
        });
        (queued, delivery)
    }

    /// The packet of a broadcast. Its offset is the last argument, where clients look for it.
    pub(super) fn frame(&self, broadcast: Broadcast) -> Frames {
        let Broadcast {
            mut data, offset, ..
        } = broadcast;
        if let Some(offset) = offset {
            data.push_text(&offset);
        }
        socket_io::frame_event(data, &self.path, None).into()
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
        let limit = self.config(|config| config.max_pending_acks);
        let mut delivery = self.delivery(volatile);
        let mut queued = 0;
        for peer in peers {
            // The answer is expected before it can be given.
            if let Err(error) = peer.owe_ack(id, &collector, limit) {
                if let AckError::TooMany = error {
                    self.count_refused("too_many_acks");
                    tracing::warn!(namespace = ?self.path, socket = %peer.id(), limit, "not asked: the client owes too many acknowledgements");
                }
                collector.expect_one();
                collector.put(peer.id().clone(), Err(error));
                continue;
            }
            if let Some(watch) = &watch {
                watch.tell(peer);
            }
            asked.push(peer.clone());
            let held = peer.hold_back(&packet, None, &mut delivery);
            let error = match held.unwrap_or_else(|| peer.mailbox().deliver(&packet, &mut delivery))
            {
                Pushed::Marked => {
                    batch.add(peer.mailbox());
                    queued += 1;
                    continue;
                }
                Pushed::Queued => {
                    queued += 1;
                    continue;
                }
                Pushed::Refused => AckError::Disconnected,
                Pushed::Dropped => AckError::Dropped,
            };
            if peer.forget_ack(id) {
                collector.put(peer.id().clone(), Err(error));
            }
        }
        drop(batch);
        self.count_emit(queued, &delivery);
        Ok(Replies::new(
            collector,
            id,
            asked,
            remote,
            deadline(timeout),
        ))
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

/// Confirmed when the engine behind the adapter has it, and when slow clients have room, where they are waited for.
pub(super) fn with_room(delivery: Delivery, confirmed: Confirmed) -> Confirmed {
    match delivery.room() {
        None => confirmed,
        Some(room) => Confirmed::when(async move {
            room.await;
            confirmed.await
        }),
    }
}

fn deadline(timeout: Duration) -> Instant {
    Instant::from_std(after(Instant::now().into_std(), timeout))
}
