mod requests;

use super::{
    Batch, Delivery, EngineConfig, Pipe, SlowClients, pipe::at_once, polling::Polling, slow::Waits,
};
use crate::{
    session::{Beat, CloseCause, Heartbeat, SessionId, after},
    sync::{Mutex, MutexGuard},
    wire::{
        Format, Frames,
        engine_io::{self, Form, Revision},
        websocket,
    },
};
use bytes::Bytes;
use smallvec::SmallVec;
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
    task::{Context, Waker},
    time::Instant,
};

pub(crate) use requests::Via;

/// Frames handed to the kernel with one call; also the length at which a burst that never yields is written by whoever
/// pushes, so that a loop of emits fills the client's socket buffer and not our memory. A call costs the kernel about the same
/// whether it brings few small frames or many, so that twice as many halve its share.
const FRAMES_PER_WRITE: usize = 256;
/// Bytes at which such a burst is written too. The kernel takes no more at once of what it can't send yet.
const BYTES_PER_WRITE: usize = 128 * 1024;
/// An empty queue keeps no more room than this.
const KEPT_CAPACITY: usize = 4;

/// The way out to one client: a bounded queue of framed packets in front of its pipe, or of the GETs that it polls with.
///
/// Every entry of the queue is one whole packet (a binary event with its attachments included), so nothing that is put
/// between two entries can come between a packet and its attachments.
pub(crate) struct Mailbox {
    key: u64,
    /// What the client speaks, and how the bodies are written that it polls.
    form: Form,
    max_packets: u32,
    max_bytes: usize,
    state: Mutex<State>,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// Queued, and somebody will flush it.
    Queued,
    /// Queued, and the caller has to see to the flush: see [`Batch::add`].
    Marked,
    /// Volatile, and the client could not take it.
    Dropped,
    /// The connection is closing, or was closed by this push since the client does not keep up.
    Refused,
}

struct State {
    outlet: Outlet,
    /// What the client speaks.
    format: Format,
    queue: VecDeque<Queued>,
    /// Emits that wait until there is room: see [`SlowClients::Wait`].
    waiting: Option<Box<Waiting>>,
    /// How much of the first entry is written.
    written: usize,
    /// Bytes in the queue, what is written of the first entry included.
    bytes: usize,
    /// On a flusher's list, or held back by the connection's task, which flushes at the end of its poll.
    marked: bool,
    /// The pipe takes no more; the connection's task waits for it and then flushes. Where the client polls: no GET waits,
    /// and the next one takes what is queued.
    blocked: bool,
    /// The answer to the client's latest WebSocket ping. One slot: a flood of pings costs one pong at a time (RFC 6455,
    /// section 5.5.3 allows to answer the latest only).
    pong: Option<Box<Bytes>>,
    /// The first entry of the queue is such an answer.
    pong_ahead: bool,
    /// When a client that has joined no namespace is given up. Cleared by the first that it joins.
    join_by: Option<Instant>,
    ending: Option<CloseCause>,
    closing: Closing,
    heartbeat: Heartbeat,
    /// The tick of this mailbox's entry in the timers.
    scheduled: Option<u64>,
    task: Option<Waker>,
}

/// The closing handshake. One value, since a client that is open pays for it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    NotBegun,
    /// It is given up then.
    Until(Instant),
    GivenUp,
}

/// An entry of the queue.
struct Queued {
    packet: Bytes,
    /// May give way to others: see [`SlowClients::DropVolatile`].
    volatile: bool,
}

/// Apart from the state, since hardly any client has it.
#[derive(Default)]
struct Waiting(Vec<Waits>);

/// Where the queue leads.
enum Outlet {
    Pipe(Arc<dyn Pipe>),
    /// In a box, since most clients leave it soon and none comes back. `None` is nowhere: the connection is over, whatever it
    /// travelled by. (An `Option` here is one that costs no memory.)
    Polling(Option<Box<Polling>>),
}

impl Outlet {
    fn polling(&mut self) -> Option<&mut Polling> {
        match self {
            Self::Polling(polling) => polling.as_deref_mut(),
            Self::Pipe(_) => None,
        }
    }
}

/// Where the connection's task stands with its pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything queued is written.
    All,
    /// The pipe takes no more for now; the task is woken when it does.
    Blocked,
    /// The pipe is broken.
    Broken,
}

impl Mailbox {
    /// Without a pipe the client polls.
    pub(crate) fn new(
        form: Form,
        pipe: Option<Arc<dyn Pipe>>,
        config: &EngineConfig,
        key: u64,
    ) -> Self {
        let now = tokio::time::Instant::now().into_std();
        let (heartbeat, format): (fn(_, _, _) -> _, _) = match form.revision() {
            Revision::V3 => (Heartbeat::of_client, Format::JsonV3),
            Revision::V4 => (Heartbeat::new, Format::Json),
        };
        Self {
            key,
            form,
            max_packets: u32::try_from(config.max_queued_packets).unwrap_or(u32::MAX),
            max_bytes: config.max_queued_bytes,
            state: Mutex::new(State {
                blocked: pipe.is_none(),
                outlet: match pipe {
                    Some(pipe) => Outlet::Pipe(pipe),
                    None => Outlet::Polling(Some(Box::default())),
                },
                format,
                queue: VecDeque::new(),
                waiting: None,
                written: 0,
                bytes: 0,
                marked: false,
                pong: None,
                pong_ahead: false,
                join_by: Some(after(now, config.connect_timeout)),
                ending: None,
                closing: Closing::NotBegun,
                heartbeat: heartbeat(config.ping_interval, config.ping_timeout, now),
                scheduled: None,
                task: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics under this lock")
    }

    pub(crate) fn key(&self) -> u64 {
        self.key
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// The revision of Engine.IO that the client speaks.
    pub(crate) fn revision(&self) -> Revision {
        self.form.revision()
    }

    /// Queues the open packet.
    pub(crate) fn open(&self, session: &SessionId, upgrades: &[&str], config: &EngineConfig) {
        let open = engine_io::OpenPacket {
            sid: session.reveal(),
            upgrades,
            ping_interval: milliseconds(config.ping_interval),
            ping_timeout: milliseconds(config.ping_timeout),
            max_payload: config.limits.max_payload,
        };
        self.state().append(open.frame(), false);
    }

    /// What is queued from here on is in the format that the client has begun to speak.
    pub(crate) fn speak(&self, format: Format) {
        self.state().format = format;
    }

    /// Queues one packet for this client alone, and has it flushed.
    pub(crate) fn send(self: &Arc<Self>, packet: &Frames, batch: &mut Batch<'_>) -> Pushed {
        let pushed = self.push(packet, false);
        if pushed == Pushed::Marked {
            batch.add(self);
        }
        pushed
    }

    /// Queues one packet as everything is that belongs to no namespace with wishes of its own.
    pub(crate) fn push(&self, packet: &Frames, volatile: bool) -> Pushed {
        self.deliver(packet, &mut Delivery::new(volatile, SlowClients::default()))
    }

    /// Queues one packet. On [`Pushed::Marked`] the caller adds this mailbox to a [`Batch`].
    pub(crate) fn deliver(&self, packet: &Frames, delivery: &mut Delivery) -> Pushed {
        let mut state = self.state();
        if state.ending.is_some() {
            return Pushed::Refused;
        }
        if delivery.only_at_once && state.blocked {
            return delivery.drop_one();
        }
        let Some(packet) = packet.in_format(state.format) else {
            state.fail(CloseCause::Overflow);
            return Pushed::Refused;
        };
        let full = |state: &State| {
            state.queue.len() >= self.max_packets as usize
                || (state.bytes + packet.len() > self.max_bytes && !state.queue.is_empty())
        };
        let much =
            |state: &State| state.queue.len() >= FRAMES_PER_WRITE || state.bytes >= BYTES_PER_WRITE;
        if much(&state) || full(&state) {
            state.write_now();
            if delivery.only_at_once && state.blocked {
                return delivery.drop_one();
            }
            while delivery.slow == SlowClients::DropVolatile
                && full(&state)
                && state.drop_volatile()
            {
                delivery.dropped += 1;
            }
            match full(&state) {
                true if delivery.gives_way => return delivery.drop_one(),
                true => {
                    state.fail(CloseCause::Overflow);
                    return Pushed::Refused;
                }
                false => {}
            }
        }
        state.append(packet.clone(), delivery.gives_way);
        if delivery.slow == SlowClients::Wait && !self.has_room(&state) {
            let waiting = state.waiting.get_or_insert_default();
            waiting.0.push(delivery.backlog());
        }
        if state.marked || state.blocked {
            Pushed::Queued
        } else {
            state.marked = true;
            Pushed::Marked
        }
    }

    /// Writes what is queued: for a flusher, once for every time it was marked.
    pub(crate) fn flush(&self) {
        let mut state = self.state();
        state.marked = false;
        state.write_now();
        state.give_back();
        self.relieve(&mut state);
    }

    /// Whether those may go on who wait for this client.
    fn has_room(&self, state: &State) -> bool {
        state.queue.len() <= self.max_packets as usize / 2 && state.bytes <= self.max_bytes / 2
    }

    /// Lets those go on who waited, if there is room. Asked after every write.
    fn relieve(&self, state: &mut State) {
        if state.waiting.is_some() && self.has_room(state) {
            state.waiting = None;
        }
    }

    /// How many packets wait, and how many bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = self.state();
        (state.queue.len(), state.bytes)
    }

    /// Has the next pong answer the client's latest WebSocket ping.
    pub(crate) fn answer_ping(&self, payload: &[u8]) {
        let mut state = self.state();
        // Nothing follows a close frame.
        if state.ending.is_none() {
            state.pong = Some(Box::new(websocket::pong_frame(payload)));
        }
    }

    /// Ends the connection after what is queued has been sent. The first cause stands.
    pub(crate) fn close(&self, cause: CloseCause) {
        self.state().end(cause);
    }

    /// The client has closed: a close frame is answered with its own status code (RFC 6455, section 5.5.1).
    pub(crate) fn answer_close(&self, code: Option<u16>) {
        self.state().end_with(CloseCause::PeerClosed, code);
    }

    /// Ends the connection, with what is queued not worth sending any more.
    pub(crate) fn fail(&self, cause: CloseCause) {
        self.state().fail(cause);
    }

    pub(crate) fn ending(&self) -> Option<CloseCause> {
        self.state().ending
    }

    /// The client has joined a namespace, which is what it came for.
    pub(crate) fn joined(&self) {
        self.state().join_by = None;
    }

    /// Has the connection's task look for what is new.
    pub(crate) fn wake(&self) {
        self.state().wake();
    }

    /// Whether the closing handshake was given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state().is_abandoned()
    }

    pub(crate) fn closing_by(&self, deadline: Instant) {
        self.state().closing = Closing::Until(deadline);
    }

    /// The connection's task begins a turn: it is to be woken from now on, and what is pushed meanwhile leaves together at
    /// the end of the turn, with [`Mailbox::poll_flush`].
    pub(crate) fn hold(&self, task: &Waker) {
        let mut state = self.state();
        state.marked = true;
        if !state
            .task
            .as_ref()
            .is_some_and(|known| known.will_wake(task))
        {
            state.task = Some(task.clone());
        }
    }

    /// Ends the turn of the connection's task.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Flushed {
        let mut state = self.state();
        state.marked = false;
        state.blocked = false;
        let written = state.write(Some(cx));
        state.give_back();
        self.relieve(&mut state);
        match written {
            Ok(()) => Flushed::All,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                state.blocked = true;
                Flushed::Blocked
            }
            Err(_) => Flushed::Broken,
        }
    }

    /// The connection is over: nothing is queued or written any more, and the pipe is let go whoever still holds a handle.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        state.discard();
        state.queue = VecDeque::new();
        state.bytes = 0;
        state.ending.get_or_insert(CloseCause::TransportFailed);
        state.task = None;
        let mut outlet = std::mem::replace(&mut state.outlet, Outlet::Polling(None));
        drop(state);
        // Requests that still wait learn that it is over.
        if let Some(polling) = outlet.polling() {
            polling.wake_all();
        }
    }

    /// The client sent something other than a pong.
    pub(crate) fn heard(&self) {
        let mut state = self.state();
        if state.heartbeat.can_be_extended() {
            let now = tokio::time::Instant::now().into_std();
            state.heartbeat.on_packet(now);
        }
    }

    /// Tells the heartbeat something; the timers have to be told afterwards.
    pub(crate) fn heartbeat<T>(&self, tell: impl FnOnce(&mut Heartbeat) -> T) -> T {
        tell(&mut self.state().heartbeat)
    }

    /// For the timers: does what is due.
    pub(crate) fn on_deadline(self: &Arc<Self>, now: Instant, batch: &mut Batch<'_>) {
        let mut state = self.state();
        state.scheduled = None;
        match state.closing {
            Closing::NotBegun => {}
            Closing::Until(deadline) if now >= deadline => {
                state.closing = Closing::GivenUp;
                state.wake();
                return;
            }
            Closing::Until(_) | Closing::GivenUp => return,
        }
        // Nothing follows a close frame, and the connection's task has the rest.
        if state.ending.is_some() {
            return;
        }
        if state.join_by.is_some_and(|deadline| now >= deadline) {
            state.join_by = None;
            state.end(CloseCause::ConnectTimeout);
            return;
        }
        match state.heartbeat.on_deadline(now) {
            Beat::Nothing => {}
            Beat::SendPing => {
                state.prepend(engine_io::PING_FRAME.clone());
                if !state.marked && !state.blocked {
                    state.marked = true;
                    batch.add(self);
                }
            }
            Beat::TimedOut => state.fail(CloseCause::PingTimeout),
        }
    }

    /// For the timers: the tick at which an entry has to be made, if the one there is comes too late. `remove` is called
    /// with the tick of an entry to be removed.
    pub(crate) fn reschedule(
        &self,
        tick: impl FnOnce(Instant) -> u64,
        remove: impl FnOnce(u64),
    ) -> Option<u64> {
        let mut state = self.state();
        if matches!(state.outlet, Outlet::Polling(None)) {
            return None;
        }
        let deadline = match state.closing {
            Closing::GivenUp => return None,
            Closing::Until(deadline) => deadline,
            Closing::NotBegun if state.ending.is_some() => return None,
            Closing::NotBegun => {
                let open = [state.heartbeat.deadline(), state.join_by];
                open.into_iter().flatten().min()?
            }
        };
        let tick = tick(deadline);
        match state.scheduled {
            Some(old) if old <= tick => return None,
            Some(old) => remove(old),
            None => {}
        }
        state.scheduled = Some(tick);
        Some(tick)
    }

    /// For the timers: the tick of the entry there is, no longer there.
    pub(crate) fn unschedule(&self) -> Option<u64> {
        self.state().scheduled.take()
    }
}

impl State {
    fn is_abandoned(&self) -> bool {
        self.closing == Closing::GivenUp
    }

    fn append(&mut self, packet: Bytes, volatile: bool) {
        self.bytes += packet.len();
        self.queue.push_back(Queued { packet, volatile });
    }

    /// Drops the oldest volatile packet that is not begun; false if there is none.
    fn drop_volatile(&mut self) -> bool {
        let mut waiting = self.queue.iter().enumerate();
        let begun = usize::from(self.written > 0);
        let oldest = waiting.find(|(at, queued)| *at >= begun && queued.volatile);
        let Some(at) = oldest.map(|(at, _)| at) else {
            return false;
        };
        let dropped = self.queue.remove(at);
        self.bytes -= dropped.map_or(0, |dropped| dropped.packet.len());
        true
    }

    /// Puts a packet before all that is not begun.
    fn prepend(&mut self, packet: Bytes) {
        self.bytes += packet.len();
        let at = usize::from(self.written > 0);
        let volatile = false;
        self.queue.insert(at, Queued { packet, volatile });
    }

    /// Drops all that is not begun.
    fn discard(&mut self) {
        self.queue.truncate(usize::from(self.written > 0));
        let begun = self.queue.front();
        self.bytes = begun.map_or(0, |begun| begun.packet.len());
        // Nobody waits for a client that is gone.
        self.waiting = None;
    }

    fn wake(&mut self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }

    fn fail(&mut self, cause: CloseCause) {
        self.discard();
        self.end(cause);
    }

    fn end(&mut self, cause: CloseCause) {
        self.end_with(cause, cause.websocket_code());
    }

    fn end_with(&mut self, cause: CloseCause, code: Option<u16>) {
        if self.ending.is_none() {
            self.ending = Some(cause);
            self.pong = None;
            let goodbye = websocket::close_frame(code.map(|code| (code, "")));
            self.append(goodbye, false);
            if let Some(polling) = self.outlet.polling() {
                polling.wake_all();
            }
        }
        self.wake();
    }

    /// Writes what the pipe takes at once. What it does not take is left to the connection's task.
    fn write_now(&mut self) {
        if self.blocked {
            return;
        }
        match self.write(None) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.blocked = true;
                self.wake();
            }
            Err(_) => self.fail(CloseCause::TransportFailed),
        }
    }

    /// Writes until nothing is left or the pipe takes no more (`WouldBlock`). With a context its task is woken then.
    fn write(&mut self, mut cx: Option<&mut Context<'_>>) -> io::Result<()> {
        let pipe = match &self.outlet {
            Outlet::Pipe(pipe) => pipe.clone(),
            Outlet::Polling(Some(polling)) => return polling.offer(!self.queue.is_empty()),
            Outlet::Polling(None) => return Ok(()),
        };
        let mut write = |bufs: &[IoSlice<'_>]| match &mut cx {
            Some(cx) => at_once(pipe.poll_write(cx, bufs)),
            None => pipe.try_write(bufs),
        };
        loop {
            if self.written == 0
                && !self.pong_ahead
                && let Some(pong) = self.pong.take()
            {
                self.pong_ahead = true;
                self.prepend(*pong);
            }
            let count = match self.queue.len() {
                0 => break,
                1 => write(&[IoSlice::new(&self.queue[0].packet[self.written..])])?,
                _ => {
                    let waiting = self.queue.iter().take(FRAMES_PER_WRITE);
                    let slices = waiting.map(|queued| IoSlice::new(&queued.packet));
                    let mut slices: SmallVec<[_; 8]> = slices.collect();
                    slices[0].advance(self.written);
                    write(&slices)?
                }
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.advance(count);
        }
        match cx {
            Some(cx) => at_once(pipe.poll_flush(cx)),
            None => pipe.try_flush(),
        }
    }

    /// Gives back what a burst took. Not between two writes of the same burst, which would take it again.
    fn give_back(&mut self) {
        if self.queue.is_empty() && self.queue.capacity() > KEPT_CAPACITY {
            self.queue = VecDeque::new();
        }
    }

    fn advance(&mut self, count: usize) {
        self.written += count;
        while let Some(first) = self.queue.front() {
            let length = first.packet.len();
            if self.written < length {
                break;
            }
            self.written -= length;
            self.bytes -= length;
            self.queue.pop_front();
            self.pong_ahead = false;
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
