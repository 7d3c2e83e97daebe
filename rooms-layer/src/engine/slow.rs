use super::Pushed;
use futures_util::task::AtomicWaker;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// What happens when a client reads more slowly than a namespace emits to it, so that its queue
/// ([`max_queued_packets`](crate::EngineConfig::max_queued_packets),
/// [`max_queued_bytes`](crate::EngineConfig::max_queued_bytes)) is full. See [`Serve::slow_clients`](crate::Serve::slow_clients).
///
/// Whatever is chosen, a client gets what is emitted to it in order, and without a gap but for volatile events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowClients {
    /// Its connection ends (`slow client`), and the stock client connects again. Volatile events are not even queued for a
    /// client that can't take them at once.
    #[default]
    Disconnect,
    /// Volatile events are queued like all others. When the queue is full, those that wait give way, the oldest first; where
    /// none is left, the connection ends as with [`Disconnect`](Self::Disconnect).
    ///
    /// For clients that want the latest positions when they catch up, and none of those in between.
    DropVolatile,
    /// Awaiting what `emit` returned waits until the queue of every recipient on this server is half empty, or its connection
    /// has ended. `emit` itself never waits: whoever goes on without awaiting it fills the queue, and ends the connection as
    /// with [`Disconnect`](Self::Disconnect).
    ///
    /// For few recipients and much data. One client that stalls holds up whoever waits, until its heartbeat is missed.
    Wait,
}

/// How a packet is delivered to mailboxes, and what became of it there.
#[derive(Default)]
pub(crate) struct Delivery {
    pub(super) slow: SlowClients,
    /// Volatile, and not queued for a client that can't take it at once.
    pub(super) only_at_once: bool,
    /// Volatile, and queued, until the queue is full.
    pub(super) gives_way: bool,
    /// How many packets were not queued since they are volatile, or were and gave way.
    pub(crate) dropped: usize,
    backlog: Option<Arc<Backlog>>,
}

impl Delivery {
    pub(crate) fn new(volatile: bool, slow: SlowClients) -> Self {
        let waits = slow == SlowClients::DropVolatile;
        Self {
            slow,
            only_at_once: volatile && !waits,
            gives_way: volatile && waits,
            dropped: 0,
            backlog: None,
        }
    }

    pub(crate) fn is_volatile(&self) -> bool {
        self.only_at_once || self.gives_way
    }

    /// The packet itself is not queued.
    pub(crate) fn drop_one(&mut self) -> Pushed {
        self.dropped += 1;
        Pushed::Dropped
    }

    /// One more mailbox that is to be waited for.
    pub(super) fn backlog(&mut self) -> Waits {
        let backlog = self.backlog.get_or_insert_default();
        backlog.mailboxes.fetch_add(1, Ordering::Relaxed);
        Waits(backlog.clone())
    }

    /// What waits for room in those mailboxes, if there are any.
    pub(crate) fn room(self) -> Option<Room> {
        self.backlog.map(Room)
    }
}

/// The mailboxes that one emit waits for.
#[derive(Default)]
struct Backlog {
    mailboxes: AtomicUsize,
    task: AtomicWaker,
}

/// One mailbox of a backlog, until it has room or is gone: then this is dropped.
pub(super) struct Waits(Arc<Backlog>);

impl Drop for Waits {
    fn drop(&mut self) {
        if self.0.mailboxes.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.task.wake();
        }
    }
}

/// Resolves when all mailboxes of a backlog have room again, or are gone.
///
/// # Cancel safety
///
/// Dropping it stops waiting.
pub(crate) struct Room(Arc<Backlog>);

impl Future for Room {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.task.register(cx.waker());
        match self.0.mailboxes.load(Ordering::Acquire) {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}
