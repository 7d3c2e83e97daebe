//! What lies between servers.

use super::{Selection, SocketId};
use crate::wire::{Args, Data};
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Weak,
    task::{Context, Poll},
    time::Instant,
};

/// Joins the servers of a cluster, so that rooms and broadcasts span all of them.
///
/// An adapter only carries what concerns *other* servers. The sockets of this server are served by the layer itself, in
/// memory and at once, whatever the adapter does; an adapter that has lost its engine therefore never holds up local
/// traffic. Handlers never name it: swapping one is a change of one line.
///
/// # Promises of an implementor
///
/// - What one server publishes to a namespace reaches every other server at most once and in the order of the calls.
/// - Nothing is handed to [`Local`] twice, and nothing that this server itself published.
/// - No method blocks: what takes time is in the returned [`Confirmed`] or [`Answers`].
/// - What comes from the engine is as untrusted as what comes from clients.
pub trait Adapter: Send + Sync + 'static {
    /// Names the adapter in logs and errors.
    fn name(&self) -> &'static str;

    /// Opens a namespace: called before its first socket. A dynamic namespace that was given up is opened again when it is needed
    /// again, perhaps before the former channel is dropped. The adapter delivers through `local` what it
    /// receives for that namespace, for as long as it can be upgraded. It must not ask the layer for a handle here, where one
    /// is being made.
    fn open(&self, namespace: &str, local: Weak<dyn Local>) -> Box<dyn Channel>;
}

/// One namespace's way to the other servers.
pub trait Channel: Send + Sync + 'static {
    /// Passes a broadcast on. Called before the local delivery of the same broadcast.
    fn broadcast(&self, to: &Selection, data: &Data) -> Confirmed;

    /// Passes a command on to the other servers' sockets.
    fn command(&self, to: &Selection, command: &Command) -> Confirmed;

    /// Puts a question to the other servers; `None` when there are none to ask.
    ///
    /// The stream ends when all have answered or at the deadline. Dropping it withdraws the question.
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers>;

    /// Tells that a socket of this server has joined or left rooms, or is gone.
    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed;
}

/// What an adapter may ask of this server, for one namespace.
pub trait Local: Send + Sync + 'static {
    /// Delivers a broadcast of another server to the sockets of this one; how many it was queued for.
    fn deliver(&self, to: &Selection, data: Data) -> usize;

    /// Carries out a command of another server on the sockets of this one.
    fn obey(&self, to: &Selection, command: &Command);

    /// Puts another server's event to the sockets of this one and collects their acknowledgements. The second value is how
    /// many sockets were asked.
    fn ask(&self, to: &Selection, data: Data, deadline: Instant) -> (Answers, usize);
}

/// What to do with sockets wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Have them join rooms.
    Join(Vec<Box<str>>),
    /// Have them leave rooms.
    Leave(Vec<Box<str>>),
    /// Disconnect them from the namespace; with `close` end their connections too.
    Disconnect {
        /// Whether the connection ends as well.
        close: bool,
    },
}

/// What servers are asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Question<'a> {
    /// The acknowledgements of an event.
    Acks(&'a Data),
}

/// A change to the rooms of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moved<'a> {
    /// It is in these rooms now and was not before.
    Joined(&'a [Box<str>]),
    /// It was in these rooms and no longer is.
    Left(&'a [Box<str>]),
    /// It has left the namespace.
    Gone,
}

/// Answers of other servers, as they come.
pub type Answers = Pin<Box<dyn Stream<Item = Answer> + Send>>;

/// One answer of another server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A socket has acknowledged.
    Ack(SocketId, Args),
}

/// What an engine says of something it was given. It happens whether or not this is awaited; awaiting it waits until the
/// engine has it.
///
/// # Cancel safety
///
/// Dropping it takes nothing back.
#[must_use = "awaiting it waits for the engine; use `let _ =` where that does not matter"]
pub struct Confirmed(Option<Confirmation>);

type Confirmation = Pin<Box<dyn Future<Output = Result<(), AdapterError>> + Send>>;

impl Confirmed {
    /// There is nothing to wait for.
    pub const fn now() -> Self {
        Self(None)
    }

    /// Confirmed when the future says so. It is polled only by those who wait.
    pub fn when(future: impl Future<Output = Result<(), AdapterError>> + Send + 'static) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl Future for Confirmed {
    type Output = Result<(), AdapterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmed")
            .field("waits", &self.0.is_some())
            .finish()
    }
}

/// The engine behind an adapter did not take what it was given.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the adapter's engine is out of reach: {cause}")]
pub struct AdapterError {
    cause: String,
}

impl AdapterError {
    /// Makes one from what the engine said.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self {
            cause: cause.to_string(),
        }
    }
}

/// A change that is done on this server when it is returned.
///
/// Awaiting it waits until the engine behind the adapter has confirmed it; with [`InMemory`](super::InMemory) there is
/// nothing to wait for.
#[derive(Debug)]
pub struct Changed {
    pub(crate) confirmed: Confirmed,
}

impl IntoFuture for Changed {
    type Output = Result<(), AdapterError>;
    type IntoFuture = Confirmed;

    fn into_future(self) -> Confirmed {
        self.confirmed
    }
}
