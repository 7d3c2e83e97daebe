use super::{
    Batch, Engine, Held, Inbound, Mailbox, Message, Pipe, mailbox::Flushed, registry::Entry,
};
use crate::{
    session::{CloseCause, after},
    wire::{
        engine_io::{EngineIoError, Packet, Payload, Revision, v3},
        websocket::{self, Incoming},
    },
};
use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::time::Instant;

/// The size of the read buffer. There is one per worker thread, not one per connection.
const READ_BUFFER: usize = 64 * 1024;
/// Frames that one turn takes before other tasks get theirs.
const FRAMES_PER_TURN: usize = 128;
/// Reads of one turn, for the same reason.
const READS_PER_TURN: usize = 8;

thread_local! {
    /// Taken out while it is used: a handler that is polled during a read may not find it in use.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The one task of a connection: reads, hands messages up, drives what they started, and writes when somebody's write found
/// the pipe full. Where the client polls, what it reads are the bodies of POSTs, until a WebSocket takes over. Resolves when
/// the connection is over and nothing that it started is left.
///
/// # Cancel safety
///
/// Dropping it cuts the connection without a closing handshake and drops the handlers that run on it.
pub(crate) struct Connection<I: Inbound> {
    link: Link<I>,
    decoder: websocket::Decoder,
    /// What the decoder holds.
    held: Held,
    /// Bytes read and not yet decoded: what the server read with the upgrade request, and what was left when a turn ended.
    stash: Vec<u8>,
    /// How much of the stash is decoded.
    decoded: usize,
    /// Where the client polls: the POST that is being handed up. In a box, since few connections have one.
    post: Option<Box<Payload>>,
}

/// Everything of a connection but what it is decoding.
struct Link<I: Inbound> {
    /// `None` while the client polls.
    pipe: Option<Arc<dyn Pipe>>,
    mailbox: Arc<Mailbox>,
    engine: Arc<Engine>,
    inbound: I,
    phase: Phase,
    /// `inbound` knows that the connection is open.
    opened: bool,
    /// `inbound` knows that the connection is over.
    told: bool,
    /// Reading has stopped since `inbound` has no room, and the client's clock with it.
    paused: bool,
    /// Until the pipe is let go.
    entry: Option<Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our close frame is queued; the client's is not here yet.
    Closing,
    /// The client's close frame, or the end of its stream, is here: nothing more is read.
    ClosedByPeer,
    /// The pipe is let go; handlers may still run.
    Over,
}

/// Why a turn of reading ended.
#[derive(PartialEq, Eq)]
enum Stop {
    /// Nothing more to read for now; the task is registered.
    Pending,
    /// It is the turn of others.
    Yield,
    /// Nothing more is wanted for now.
    Enough,
}

impl<I: Inbound> Connection<I> {
    pub(super) fn new(
        pipe: Option<Arc<dyn Pipe>>,
        inbound: I,
        mailbox: Arc<Mailbox>,
        engine: Arc<Engine>,
        entry: Entry,
        received: &[u8],
    ) -> Self {
        Self {
            held: Held::new(engine.clone()),
            link: Link {
                pipe,
                mailbox,
                engine,
                inbound,
                phase: Phase::Open,
                opened: false,
                told: false,
                paused: false,
                entry: Some(entry),
            },
            decoder: websocket::Decoder::new(),
            stash: received.to_vec(),
            decoded: 0,
            post: None,
        }
    }

    pub(crate) fn mailbox(&self) -> &Arc<Mailbox> {
        &self.link.mailbox
    }

    /// Takes over the WebSocket that the client has changed to.
    fn change(&mut self) {
        if let Some((pipe, received)) = self.link.mailbox.take_change() {
            self.link.pipe = Some(pipe);
            (self.stash, self.decoded) = (received, 0);
        }
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Stop {
        if self.link.pipe.is_none() {
            return self.read_posts(cx);
        }
        let mut frames = FRAMES_PER_TURN;
        if !self.stash.is_empty() {
            let mut stash = std::mem::take(&mut self.stash);
            let decoded = self.decode(&mut stash, self.decoded, &mut frames, cx);
            if decoded < stash.len() {
                self.stash = stash;
                self.decoded = decoded;
                return if frames == 0 {
                    Stop::Yield
                } else {
                    Stop::Enough
                };
            }
            self.decoded = 0;
        }
        let mut buffer = BUFFER.take();
        buffer.resize(READ_BUFFER, 0);
        let stop = self.read_into(&mut buffer, &mut frames, cx);
        BUFFER.set(buffer);
        stop
    }

    fn read_into(&mut self, buffer: &mut [u8], frames: &mut usize, cx: &mut Context<'_>) -> Stop {
        for _ in 0..READS_PER_TURN {
            if !self.link.wants_input() {
                return Stop::Enough;
            }
            let Some(pipe) = &self.link.pipe else {
                return Stop::Enough;
            };
            let count = match pipe.poll_read(cx, buffer) {
                Poll::Pending => return Stop::Pending,
                Poll::Ready(Ok(count)) => count,
                Poll::Ready(Err(_)) => {
                    self.link.lost(CloseCause::TransportFailed);
                    return Stop::Enough;
                }
            };
            if count == 0 {
                self.link.lost(CloseCause::PeerClosed);
                return Stop::Enough;
            }
            let decoded = self.decode(&mut buffer[..count], 0, frames, cx);
            if decoded < count {
                self.stash = buffer[decoded..count].to_vec();
                return if *frames == 0 {
                    Stop::Yield
                } else {
                    Stop::Enough
                };
            }
        }
        Stop::Yield
    }

    /// Hands up the packets of the POST that has arrived, as far as they are taken.
    fn read_posts(&mut self, cx: &mut Context<'_>) -> Stop {
        let Self { link, post, .. } = self;
        for _ in 0..FRAMES_PER_TURN {
            if link.phase != Phase::Open || !link.inbound.is_ready() {
                return Stop::Enough;
            }
            if post.is_none() {
                *post = link.mailbox.take_post().map(Box::new);
            }
            let Some(body) = post else {
                return Stop::Pending;
            };
            if let Some(packet) = body.next_packet() {
                link.take(packet, |link, packet| link.packet(packet, cx));
            }
            if body.is_done() {
                *post = None;
                // What broke a rule is not taken.
                if link.phase == Phase::Open {
                    link.mailbox.post_taken();
                }
            }
        }
        Stop::Yield
    }

    /// Decodes `input` from `at` on, and returns how far it came.
    fn decode(
        &mut self,
        input: &mut [u8],
        mut at: usize,
        frames: &mut usize,
        cx: &mut Context<'_>,
    ) -> usize {
        while *frames > 0 && self.link.wants_input() {
            let limits = &self.link.engine.config().limits;
            match self.decoder.decode(&mut input[at..], limits) {
                // Also frees what the last message took, so it is asked even when all bytes are used up.
                Ok((count, None)) => {
                    self.hold();
                    return at + count;
                }
                Ok((count, Some(incoming))) => {
                    at += count;
                    *frames -= 1;
                    self.link.incoming(incoming, cx);
                }
                Err(error) => {
                    tracing::debug!(%error, "the client broke the websocket protocol");
                    self.link.refuse(CloseCause::Framing(error.close_code()));
                    // What follows can't be understood: it is read until the client is gone, and thrown away.
                    self.decoder = websocket::Decoder::new();
                    self.hold();
                    return input.len();
                }
            }
        }
        at
    }

    /// Notes what has arrived of a message that is not whole.
    fn hold(&mut self) {
        if let Err(cause) = self.held.set(self.decoder.held_bytes()) {
            self.link.refuse(cause);
            self.decoder = websocket::Decoder::new();
            // Less than before, which is never refused.
            let _ = self.held.set(0);
        }
    }
}

impl<I: Inbound> Link<I> {
    fn wants_input(&self) -> bool {
        match self.phase {
            Phase::Open => self.inbound.is_ready(),
            Phase::Closing => true,
            Phase::ClosedByPeer | Phase::Over => false,
        }
    }

    fn incoming(&mut self, incoming: Incoming<'_>, cx: &mut Context<'_>) {
        let revision = self.mailbox.revision();
        match incoming {
            Incoming::Close { code, .. } => {
                self.mailbox.answer_close(code);
                self.phase = Phase::ClosedByPeer;
            }
            _ if self.phase != Phase::Open => {}
            Incoming::Ping(payload) => self.mailbox.answer_ping(payload),
            Incoming::Pong(_) => {}
            Incoming::Binary(data) => {
                let data = revision.decode_binary(data);
                self.take(data, |link, data| link.message(Message::Binary(data), cx));
            }
            Incoming::Text(text) => {
                self.take(revision.decode(text), |link, packet| {
                    link.packet(packet, cx)
                });
            }
        }
    }

    /// Takes what was read, or ends the connection if there was nothing to be read.
    fn take<T>(
        &mut self,
        read: Result<T, EngineIoError>,
        take: impl FnOnce(&mut Self, T) -> Result<(), CloseCause>,
    ) {
        let taken = match read {
            Ok(read) => take(self, read),
            Err(error) => {
                tracing::debug!(%error, "the client sent no Engine.IO packet");
                Err(CloseCause::BadPacket)
            }
        };
        if let Err(cause) = taken {
            self.refuse(cause);
        }
    }

    fn packet(&mut self, packet: Packet<'_>, cx: &mut Context<'_>) -> Result<(), CloseCause> {
        match (packet, self.mailbox.revision()) {
            (Packet::Message(text), _) => self.message(Message::Text(text), cx),
            (Packet::Binary(data), _) => self.message(Message::Binary(&data), cx),
            (Packet::Pong(_), Revision::V4) => {
                let now = Instant::now().into_std();
                self.mailbox.heartbeat(|heartbeat| heartbeat.on_pong(now));
                self.engine.timers.schedule(&self.mailbox);
                Ok(())
            }
            (Packet::Ping(_), Revision::V3) => {
                let now = Instant::now().into_std();
                // The deadline moves away, and whoever looks too early looks again.
                self.mailbox.heartbeat(|heartbeat| heartbeat.on_ping(now));
                let mut batch = Batch::new(&self.engine.flusher);
                self.mailbox
                    .send(&v3::PONG_FRAME.clone().into(), &mut batch);
                Ok(())
            }
            // Each revision has its side that pings, and its side that answers.
            (Packet::Ping(_), Revision::V4) | (Packet::Pong(_), Revision::V3) => {
                Err(CloseCause::HeartbeatDirection)
            }
            (Packet::Close, _) => Err(CloseCause::PeerClosed),
            (Packet::Open(_) | Packet::Upgrade | Packet::Noop, _) => Ok(()),
        }
    }

    fn message(&mut self, message: Message<'_>, cx: &mut Context<'_>) -> Result<(), CloseCause> {
        self.mailbox.heard();
        self.inbound.message(message, cx)
    }

    /// The client's stream has ended.
    fn lost(&mut self, cause: CloseCause) {
        self.mailbox.close(cause);
        self.phase = Phase::ClosedByPeer;
    }

    /// The client broke a protocol.
    fn refuse(&mut self, cause: CloseCause) {
        if self.phase == Phase::Open {
            self.mailbox.fail(cause);
            self.phase = Phase::Closing;
        }
    }

    /// Passes on that the connection is over, whoever ended it.
    fn notice_end(&mut self, cx: &mut Context<'_>) {
        if self.told {
            return;
        }
        let Some(cause) = self.mailbox.ending() else {
            return;
        };
        self.told = true;
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
        let now = Instant::now().into_std();
        self.mailbox
            .closing_by(after(now, self.engine.config().close_timeout));
        self.engine.counters().add_closed(cause.label());
        match cause {
            CloseCause::Overflow => {
                tracing::warn!(
                    "connection closed: the client does not keep up, and its queue is full"
                );
            }
            cause => tracing::debug!(?cause, "connection closed"),
        }
        self.inbound.closed(cause.reason(), cx);
    }

    /// Stops the client's clock while we are the ones who do not read.
    fn pause(&mut self, pause: bool) {
        if self.paused == pause {
            return;
        }
        self.paused = pause;
        let now = Instant::now().into_std();
        self.mailbox.heartbeat(|heartbeat| match pause {
            true => heartbeat.pause(now),
            false => heartbeat.resume(now),
        });
        self.engine.timers.schedule(&self.mailbox);
    }

    /// Lets go of the client, whatever handlers are still running.
    fn finish(&mut self) {
        self.phase = Phase::Over;
        self.mailbox.finish();
        self.engine.timers.forget(&self.mailbox);
        self.pipe = None;
        self.entry = None;
    }
}

impl<I: Inbound> Future for Connection<I> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.link.phase == Phase::Over {
            return this.link.inbound.poll(cx);
        }
        this.link.mailbox.hold(cx.waker());
        if !this.link.opened {
            this.link.opened = true;
            // A server that is closed has nothing to say to whoever comes.
            if this.link.mailbox.ending().is_none() {
                this.link.inbound.opened(cx);
            }
        }
        if this.link.pipe.is_none() {
            this.change();
        }
        loop {
            this.link.notice_end(cx);
            let stop = this.read(cx);
            this.link.notice_end(cx);
            let _ = this.link.inbound.poll(cx);
            match stop {
                // What was driven has made room, so that there is something to read again.
                Stop::Enough if this.link.phase == Phase::Open && this.link.wants_input() => {
                    continue;
                }
                Stop::Yield => cx.waker().wake_by_ref(),
                Stop::Enough | Stop::Pending => {}
            }
            break;
        }
        let link = &mut this.link;
        link.pause(link.phase == Phase::Open && !link.inbound.is_ready());
        let flushed = link.mailbox.poll_flush(cx);
        let over = match flushed {
            _ if link.pipe.is_none() => link.mailbox.has_taken_leave(),
            Flushed::Broken => true,
            Flushed::Blocked => link.mailbox.is_abandoned(),
            Flushed::All => link.phase == Phase::ClosedByPeer || link.mailbox.is_abandoned(),
        };
        if !over {
            if link.told {
                // Not before: most are over by the end of the turn that notices their end, and need no deadline.
                link.engine.timers.schedule(&link.mailbox);
            }
            return Poll::Pending;
        }
        if flushed == Flushed::Broken {
            link.mailbox.close(CloseCause::TransportFailed);
            link.notice_end(cx);
        }
        if let Some(pipe) = &link.pipe {
            // The stream ends whether or not the goodbye can be said.
            let _ = pipe.poll_shutdown(cx);
        }
        link.finish();
        // A handler that takes its time keeps nothing but itself.
        this.decoder = websocket::Decoder::new();
        this.hold();
        this.stash = Vec::new();
        this.post = None;
        this.link.inbound.poll(cx)
    }
}

impl<I: Inbound> Drop for Connection<I> {
    fn drop(&mut self) {
        // On every way out, a panic and an aborted task included, nobody keeps writing to a client that nobody reads from.
        if self.link.phase != Phase::Over {
            if !self.link.told {
                self.link.engine.counters().add_closed("task_dropped");
            }
            self.link.finish();
        }
    }
}
