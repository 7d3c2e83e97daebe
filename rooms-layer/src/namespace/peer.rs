//! One client in one namespace.

use super::{
    Namespace, SocketData,
    acks::Collector,
    core::with_room,
    recover::{Held, TooMuch},
};
use crate::{
    engine::{Batch, Delivery, Mailbox, Pushed},
    handshake::HandshakeInfo,
    rooms::{
        AckError, Changed, EmitError, Flags, Selection, Sent, Slot, SocketId,
        adapter::{Confirmed, Logged},
    },
    session::CloseCause,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    wire::{Args, Data, Frames, socket_io},
};
use futures_util::StreamExt;
use hashbrown::HashMap;
use std::{
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// One client in one namespace: its id, its data, the way to reach it.
pub(crate) struct Peer {
    id: SocketId,
    /// Its place in the namespace's index, from the moment that it is connected.
    slot: OnceLock<Slot>,
    namespace: Arc<Namespace>,
    mailbox: Arc<Mailbox>,
    handshake: Arc<HandshakeInfo>,
    data: SocketData,
    recovered: bool,
    connected: AtomicBool,
    wish: AtomicU8,
    /// Cancelled when the peer is gone. Made by the first who needs it.
    gone: OnceLock<CancellationToken>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Acknowledgements that this client owes.
    owed: HashMap<u64, Arc<Collector>, foldhash::fast::RandomState>,
    /// Nothing is owed any more: the client is gone.
    closed: bool,
    /// The rooms it was in, while `disconnecting` runs.
    rooms_left: Option<Vec<String>>,
    session: Session,
    /// What is held back while the client is coming back.
    held: Option<Box<Held>>,
}

/// Whether the client may come back as this socket.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Session {
    /// It may not: it has said goodbye or was told to go, or nobody may come back here.
    #[default]
    Ended,
    Owned,
    /// It has come back already: another peer has its id.
    Passed,
}

/// What the application wants of the connection's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Disconnect,
    Close,
}

impl Peer {
    pub(super) fn new(
        namespace: Arc<Namespace>,
        mailbox: Arc<Mailbox>,
        handshake: Arc<HandshakeInfo>,
        data: SocketData,
    ) -> Self {
        Self {
            id: SocketId::random(),
            slot: OnceLock::new(),
            namespace,
            mailbox,
            handshake,
            data,
            recovered: false,
            connected: AtomicBool::new(true),
            wish: AtomicU8::new(0),
            gone: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// The same client with the id that it had. Until [`Self::release`] everything is held back.
    pub(super) fn come_back_as(mut self, id: SocketId) -> Self {
        self.id = id;
        self.recovered = true;
        let state = self.state.get_mut().expect("nobody else has it");
        state.session = Session::Owned;
        state.held = Some(Box::default());
        self
    }

    /// The client may come back as this socket.
    pub(super) fn begin_session(&self) {
        self.state().session = Session::Owned;
    }

    pub(crate) fn id(&self) -> &SocketId {
        &self.id
    }

    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// The `Data` of the namespace, as `authorize` made it.
    pub(crate) fn data(&self) -> &SocketData {
        &self.data
    }

    pub(crate) fn handshake(&self) -> &Arc<HandshakeInfo> {
        &self.handshake
    }

    /// Whether the client has come back to what it was.
    pub(crate) fn is_recovered(&self) -> bool {
        self.recovered
    }

    /// False from the moment that either side has taken leave.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// Emits to this client alone. Nothing is sent to one that is gone, which is not an error.
    pub(crate) fn emit(self: &Arc<Self>, flags: Flags, data: Data) -> Result<Sent, EmitError> {
        self.namespace.check_open()?;
        let session = self.state().session;
        if session != Session::Ended && !flags.volatile {
            // The client gets it wherever it comes back. As long as it is here, that concerns nobody else.
            let local = self.is_connected();
            let itself = Selection::of([self.id.as_str()]);
            return self.namespace.emit(&itself, Flags { local, ..flags }, data);
        }
        if !self.is_connected() {
            return Ok(Sent::new(0, Confirmed::now()));
        }
        if let Some(watch) = self.namespace.watch(&data) {
            watch.tell(self);
        }
        let packet = socket_io::frame_event(data, self.namespace.path(), None);
        let mut delivery = self.namespace.delivery(flags.volatile);
        let reached = usize::from(self.push(&packet.into(), &mut delivery));
        self.namespace.count_emit(reached, &delivery);
        Ok(Sent::new(reached, with_room(delivery, Confirmed::now())))
    }

    /// Emits to this client alone and waits for its answer.
    pub(crate) fn emit_with_ack(
        self: &Arc<Self>,
        data: Data,
        timeout: Duration,
    ) -> impl Future<Output = Result<Args, AckError>> + Send + use<> {
        let asked = self
            .namespace
            .ask(std::iter::once(self), false, data, None, timeout);
        async move {
            let mut replies = asked?;
            let (_, answer) = replies.next().await.ok_or(AckError::Disconnected)?;
            answer
        }
    }

    pub(crate) fn join(&self, rooms: Vec<Box<str>>) -> Changed {
        let confirmed = match self.slot.get() {
            Some(&slot) => self.namespace.join_slot(slot, &self.id, &rooms),
            None => Confirmed::now(),
        };
        Changed { confirmed }
    }

    pub(crate) fn leave(&self, rooms: Vec<Box<str>>) -> Changed {
        if rooms.iter().any(|room| **room == *self.id.as_str()) {
            // What is emitted to this client alone could not be told from what it is not meant to get any more.
            self.end_session();
        }
        let confirmed = match self.slot.get() {
            Some(&slot) => self.namespace.leave_slot(slot, &self.id, &rooms),
            None => Confirmed::now(),
        };
        Changed { confirmed }
    }

    /// The rooms this peer is in, its own first; while `disconnecting` runs, those it was in.
    pub(crate) fn rooms(&self) -> Vec<String> {
        if let Some(rooms) = &self.state().rooms_left {
            return rooms.clone();
        }
        match self.slot.get() {
            Some(&slot) => self.namespace.rooms_of(slot),
            None => Vec::new(),
        }
    }

    pub(crate) fn is_in(&self, room: &str) -> bool {
        if let Some(rooms) = &self.state().rooms_left {
            return rooms.iter().any(|known| known == room);
        }
        self.slot
            .get()
            .is_some_and(|&slot| self.namespace.is_in(slot, room))
    }

    /// Takes leave of this client in this namespace; with `close`, of all its namespaces and its connection.
    ///
    /// The client is told, and its rooms are left, at once. The hooks run in the connection's task.
    pub(crate) fn disconnect(&self, close: bool) {
        if self.connected.swap(false, Ordering::AcqRel) {
            // Nothing is emitted to a client that was told to leave.
            self.end_session();
            self.remember_rooms();
            self.namespace.exit(self);
            let goodbye = socket_io::disconnect_frame(self.namespace.path());
            self.push(&goodbye.into(), &mut Delivery::default());
        }
        let wish = if close { 2 } else { 1 };
        self.wish.fetch_max(wish, Ordering::AcqRel);
        self.mailbox.wake();
    }

    /// Gives this peer's place to the same client that has come back on another connection. This one is closed.
    pub(super) fn evict(&self) {
        self.state().session = Session::Passed;
        self.begin_leaving();
        self.namespace.exit(self);
        self.mailbox.close(CloseCause::ServerClosed);
    }

    /// The client will not come back as this socket.
    pub(super) fn end_session(&self) {
        let before = std::mem::take(&mut self.state().session);
        if before == Session::Owned
            && let Some(recovery) = self.namespace.recovery()
        {
            recovery.end(&self.id);
        }
    }

    /// Runs a task that ends with the socket.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let gone = self.gone.get_or_init(CancellationToken::new).clone();
        if self.state().closed {
            gone.cancel();
        }
        tokio::spawn(async move {
            gone.run_until_cancelled(task).await;
        });
    }
}

impl Peer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics under this lock")
    }

    pub(super) fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Keeps a packet back while the client is still coming back. `None` if it has to be queued.
    pub(super) fn hold_back(
        &self,
        packet: &Frames,
        offset: Option<&str>,
        delivery: &mut Delivery,
    ) -> Option<Pushed> {
        let mut state = self.state();
        let held = state.held.as_mut()?;
        if delivery.is_volatile() {
            return Some(delivery.drop_one());
        }
        match held.push(packet, offset, self.namespace.engine().config()) {
            Ok(()) => Some(Pushed::Queued),
            Err(TooMuch) => {
                self.mailbox.fail(CloseCause::Overflow);
                Some(Pushed::Refused)
            }
        }
    }

    /// The client is back: it gets what it missed, then the reply to its CONNECT, then what was held back meanwhile.
    ///
    /// Fails if that is more than may wait for a client, which is then better served as a new one.
    pub(super) fn release(&self, missed: &[Logged], reply: Frames) -> Result<(), TooMuch> {
        let frame = |logged: &Logged| self.namespace.frame(logged.broadcast.clone());
        let packets = missed.iter().map(frame).chain([reply]).collect();
        let mut batch = Batch::new(self.namespace.flusher());
        let mut state = self.state();
        let config = self.namespace.engine().config();
        let packets = match &state.held {
            Some(held) => held.behind(missed, packets, config)?,
            None => packets,
        };
        for packet in &packets {
            self.mailbox.send(packet, &mut batch);
        }
        // Under the lock, so that what comes next is queued behind.
        state.held = None;
        Ok(())
    }

    /// Queues a packet and has it flushed.
    fn push(&self, packet: &Frames, delivery: &mut Delivery) -> bool {
        let held = match self.recovered {
            true => self.hold_back(packet, None, delivery),
            false => None,
        };
        match held.unwrap_or_else(|| self.mailbox.deliver(packet, delivery)) {
            Pushed::Marked => {
                Batch::new(self.namespace.flusher()).add(&self.mailbox);
                true
            }
            Pushed::Queued => true,
            Pushed::Dropped | Pushed::Refused => false,
        }
    }

    pub(super) fn send_ack(&self, id: u64, data: Data) {
        if self.is_connected() {
            let packet = socket_io::frame_ack(data, self.namespace.path(), id);
            self.push(&packet.into(), &mut Delivery::default());
        }
    }

    /// Has the answer with this id go to the collector.
    ///
    /// # Errors
    ///
    /// Fails if the client is gone, or owes as many answers as it may.
    pub(super) fn owe_ack(
        &self,
        id: u64,
        to: &Arc<Collector>,
        limit: usize,
    ) -> Result<(), AckError> {
        let mut state = self.state();
        if state.closed || !self.is_connected() {
            return Err(AckError::Disconnected);
        }
        if state.owed.len() >= limit {
            return Err(AckError::TooMany);
        }
        to.expect_one();
        state.owed.insert(id, to.clone());
        Ok(())
    }

    /// How many acknowledgements this client owes.
    #[cfg(test)]
    pub(super) fn owed_acks(&self) -> usize {
        self.state().owed.len()
    }

    /// False if the answer was not owed any more.
    pub(super) fn forget_ack(&self, id: u64) -> bool {
        self.state().owed.remove(&id).is_some()
    }

    /// The client has answered. An answer that nobody waits for is dropped, as in Node.
    pub(super) fn acknowledged(&self, id: u64, args: Args) {
        let collector = self.state().owed.remove(&id);
        if let Some(collector) = collector {
            collector.put(self.id.clone(), Ok(args));
        }
    }

    pub(super) fn set_slot(&self, slot: Slot) {
        self.slot
            .set(slot)
            .expect("a peer is connected once, by its connection's task");
    }

    pub(super) fn slot(&self) -> Option<Slot> {
        self.slot.get().copied()
    }

    pub(super) fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            0 => Wish::Nothing,
            1 => Wish::Disconnect,
            _ => Wish::Close,
        }
    }

    /// The first step of leaving: nothing is emitted any more, and the rooms stay readable.
    pub(super) fn begin_leaving(&self) {
        self.connected.store(false, Ordering::Release);
        self.remember_rooms();
    }

    /// Keeps the rooms for the hooks, before they are left.
    fn remember_rooms(&self) {
        let rooms = self.rooms();
        self.state().rooms_left.get_or_insert(rooms);
    }

    /// The second step: nobody waits for this client any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        let owed = std::mem::take(&mut state.owed);
        drop(state);
        for collector in owed.into_values() {
            collector.put(self.id.clone(), Err(AckError::Disconnected));
        }
        if let Some(gone) = self.gone.get() {
            gone.cancel();
        }
    }

    /// The last step: the rooms are left, and no longer answered for.
    pub(super) fn forget_rooms(&self) {
        self.state().rooms_left = None;
    }
}
