//! What a session that polls has under way: one GET that waits for packets, one POST that brings some, and the WebSocket
//! that it wants to change to.

use super::Pipe;
use crate::wire::engine_io::Payload;
use std::{
    io, mem,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The part of a [`Mailbox`](super::Mailbox) that only polling needs. The mailbox's lock is around it.
#[derive(Default)]
pub(super) struct Polling {
    /// The GET that waits.
    get: Option<Waker>,
    post: Post,
    /// The POST that waits to be taken.
    post_task: Option<Waker>,
    change: Change,
}

/// The POST that is under way.
#[derive(Default)]
enum Post {
    #[default]
    None,
    /// Its body is being read.
    Arriving,
    /// Its body is whole.
    Arrived(Payload),
    /// The connection's task has its body, and hands its packets up.
    Taking,
    /// Its packets are handed up, and it is not answered yet.
    Taken,
}

/// How far the change to WebSocket has come.
#[derive(Default)]
enum Change {
    #[default]
    None,
    /// A WebSocket is there, and has said nothing yet.
    Begun,
    /// It has asked, and was answered. The client waits for its GET to end, so none is held any more.
    Probed,
    /// The client has changed over. A POST that came before is still to be taken.
    Waiting(Waker),
    /// The connection's task is to take over this pipe, from which the bytes were read already.
    Ready(Arc<dyn Pipe>, Vec<u8>),
}

/// Why a request of a session is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// One like it is under way, which ends the session.
    Overlap,
    /// The session has changed to WebSocket.
    Changed,
}

impl Rejected {
    /// Its name in counts of what was refused.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Overlap => "overlapping_request",
            Self::Changed => "other_transport",
        }
    }
}

/// What a GET that finds no packets does.
pub(super) enum Wait {
    /// It waits.
    Longer,
    /// It is released with nothing, for the client to change over.
    Released,
    /// It came too late: the session is on WebSocket.
    Over,
}

impl Polling {
    pub(super) fn is_awaited(&self) -> bool {
        self.get.is_some()
    }

    /// Has the GET that waits take the packets that are there. `WouldBlock` if none waits.
    pub(super) fn offer(&self, packets: bool) -> io::Result<()> {
        let get = self.get.as_ref().ok_or(io::ErrorKind::WouldBlock)?;
        if packets {
            get.wake_by_ref();
        }
        Ok(())
    }

    /// Whether requests are still taken, so that the session is not on its way to WebSocket.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.change, Change::Waiting(_) | Change::Ready(..))
    }

    pub(super) fn begin_get(&mut self) -> Result<(), Rejected> {
        if !self.is_open() {
            return Err(Rejected::Changed);
        }
        if self.get.is_some() {
            return Err(Rejected::Overlap);
        }
        // It is polled at once, and then says who is to be woken.
        self.get = Some(Waker::noop().clone());
        Ok(())
    }

    /// What the GET does that has found no packets.
    pub(super) fn wait(&mut self, cx: &mut Context<'_>) -> Wait {
        match self.change {
            Change::None | Change::Begun => {
                self.get = Some(cx.waker().clone());
                Wait::Longer
            }
            Change::Probed => Wait::Released,
            Change::Waiting(_) | Change::Ready(..) => Wait::Over,
        }
    }

    pub(super) fn end_get(&mut self) {
        self.get = None;
    }

    fn wake_get(&self) {
        if let Some(get) = &self.get {
            get.wake_by_ref();
        }
    }

    pub(super) fn begin_post(&mut self) -> Result<(), Rejected> {
        if !self.is_open() {
            return Err(Rejected::Changed);
        }
        if !matches!(self.post, Post::None) {
            return Err(Rejected::Overlap);
        }
        self.post = Post::Arriving;
        Ok(())
    }

    /// Leaves a whole body to the connection's task.
    pub(super) fn hand_in(&mut self, body: Payload) {
        self.post = Post::Arrived(body);
    }

    /// Whether the packets of the POST are handed up.
    pub(super) fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.post, Post::Taken) {
            return Poll::Ready(());
        }
        self.post_task = Some(cx.waker().clone());
        Poll::Pending
    }

    /// For the connection's task: the body that waits for it.
    pub(super) fn take_post(&mut self) -> Option<Payload> {
        match mem::replace(&mut self.post, Post::Taking) {
            Post::Arrived(body) => Some(body),
            other => {
                self.post = other;
                None
            }
        }
    }

    /// The connection's task has handed up what it took.
    pub(super) fn post_taken(&mut self) {
        self.post = Post::Taken;
        self.wake_post();
        self.wake_change();
    }

    /// Forgets the POST; whether that leaves something undone.
    pub(super) fn end_post(&mut self) -> bool {
        let post = mem::take(&mut self.post);
        self.post_task = None;
        self.wake_change();
        !matches!(post, Post::None | Post::Taken)
    }

    /// Has everyone who waits look again: the session is over, or has changed.
    pub(super) fn wake_all(&mut self) {
        self.wake_get();
        self.wake_post();
        self.wake_change();
    }

    /// Notes that a WebSocket wants to take over; false if another one does.
    pub(super) fn begin_change(&mut self) -> bool {
        let is_first = matches!(self.change, Change::None);
        if is_first {
            self.change = Change::Begun;
        }
        is_first
    }

    /// The WebSocket was answered: whatever GET there is, is released.
    pub(super) fn probed(&mut self) {
        if matches!(self.change, Change::Begun) {
            self.change = Change::Probed;
            self.wake_get();
        }
    }

    /// The client has changed over. `Ready` when nothing of polling is left to be taken before what the WebSocket brings.
    pub(super) fn poll_change(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &Arc<dyn Pipe>,
        received: &[u8],
    ) -> Poll<()> {
        let change = match self.post {
            Post::None | Post::Taken => Change::Ready(pipe.clone(), received.to_vec()),
            Post::Arriving | Post::Arrived(_) | Post::Taking => Change::Waiting(cx.waker().clone()),
        };
        self.change = change;
        self.wake_get();
        match self.change {
            Change::Ready(..) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    /// Forgets a WebSocket that did not take over.
    pub(super) fn end_change(&mut self) {
        if !matches!(self.change, Change::Ready(..)) {
            self.change = Change::None;
        }
    }

    /// For the connection's task: the pipe that it is to take over.
    pub(super) fn take_change(&mut self) -> Option<(Arc<dyn Pipe>, Vec<u8>)> {
        match mem::take(&mut self.change) {
            Change::Ready(pipe, received) => Some((pipe, received)),
            other => {
                self.change = other;
                None
            }
        }
    }

    fn wake_post(&mut self) {
        if let Some(task) = self.post_task.take() {
            task.wake();
        }
    }

    fn wake_change(&self) {
        if let Change::Waiting(task) = &self.change {
            task.wake_by_ref();
        }
    }
}
