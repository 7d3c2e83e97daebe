//! What lies between servers.

mod answers;
mod away;
mod confirmed;
mod health;
mod recovery;

use super::{Selection, SocketId};
use crate::wire::{Args, Data};
use std::{future::Future, pin::Pin, sync::Weak, time::Instant};

pub use self::{
    answers::{Answer, Answers, HandshakeSummary, Question, SocketInfo},
    away::Away,
    confirmed::{AdapterError, Changed, Confirmed},
    health::Health,
    recovery::{Claimed, Logged, Recorded, Recovery, RecoveryConfig},
};

/// A future of this door.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Joins the servers of a cluster, so that rooms and broadcasts span all of them.
///
/// An adapter only carries what concerns *other* servers. The sockets of this server are served by the layer itself, in
/// memory and at once, whatever the adapter does; an adapter that has lost its engine therefore never holds up local
/// traffic. Handlers never name it: swapping one is a change of one line.
///
/// # Promises of an implementor
///
/// - What one server publishes to a namespace reaches every other server at most once and in the order of the calls.
/// - Nothing is handed to [`Local`] twice, and nothing that this server itself published (but what
///   [`Recorded::Later`] says).
/// - No method blocks: what takes time is in the returned [`Confirmed`], [`Answers`] or future.
/// - What comes from the engine is as untrusted as what comes from clients.
pub trait Adapter: Send + Sync + 'static {
    /// Names the adapter in logs and errors.
    fn name(&self) -> &'static str;

    /// Opens a namespace: before its first socket, and once for each [`Local`]. A dynamic namespace that was given up is
    /// opened again when it is needed again, perhaps before the former channel is dropped. The adapter delivers through
    /// [`Opening::local`] what it receives for the namespace, for as long as it can be upgraded.
    ///
    /// No lock of the layer is held. It may be called outside a runtime.
    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel>;

    /// How the way to the other servers is.
    fn health(&self) -> Health {
        Health::Up
    }

    /// Waits for the health to be another one than `seen`, and returns it.
    fn health_changed(&self, _seen: Health) -> BoxFuture<Health> {
        Box::pin(std::future::pending())
    }

    /// The server closes: nothing is delivered any more, and the others need not wait for it.
    fn close(&self) -> Confirmed {
        Confirmed::now()
    }
}

/// A namespace that is being opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opening<'a> {
    /// Its path.
    pub namespace: &'a str,
    /// The sockets of this server.
    pub local: Weak<dyn Local>,
    /// What clients that come back are promised; `None` where the application did not ask for recovery.
    pub recovery: Option<&'a RecoveryConfig>,
}

impl<'a> Opening<'a> {
    /// Opens a namespace without recovery.
    pub fn new(namespace: &'a str, local: Weak<dyn Local>) -> Self {
        Self {
            namespace,
            local,
            recovery: None,
        }
    }

    /// Asks for recovery.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Option<&'a RecoveryConfig>) -> Self {
        self.recovery = recovery;
        self
    }
}

/// One way into a namespace of a cluster: all that is needed by those who hold no sockets.
pub trait Publisher: Send + Sync + 'static {
    /// Passes a broadcast on. Called before the local delivery of the same broadcast.
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed;

    /// Passes a command on to the other servers' sockets.
    fn command(&self, to: &Selection, command: &Command) -> Confirmed;

    /// Tells the other servers themselves of an event.
    fn tell(&self, event: &Data) -> Confirmed;
}

/// One namespace's way to the other servers.
pub trait Channel: Publisher {
    /// Puts a question to the other servers; `None` when there are none to ask.
    ///
    /// The stream ends when all have answered or at the deadline. Dropping it withdraws the question.
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers>;

    /// Tells that a socket of this server has joined or left rooms, or is gone.
    ///
    /// Changes that happen at the same time may be told in another order than they happened in. What is true by now can be
    /// asked: [`Local::has_room`], [`Local::rooms_of`]. No lock of the layer is held, with one exception: where this channel
    /// [recovers](Channel::recovery), changes are told in their order and in that of what is recorded, which takes a lock.
    /// Under it [`Local::obey`] and [`Local::evict`] must not be called.
    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed;

    /// What keeps the sessions of clients that may come back. `None`: this adapter keeps none, or was not asked to.
    fn recovery(&self) -> Option<&dyn Recovery> {
        None
    }
}

/// What an adapter may ask of this server, for one namespace.
pub trait Local: Send + Sync + 'static {
    /// Delivers a broadcast to the sockets of this server; how many it was queued for.
    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> usize;

    /// Carries out a command of another server on the sockets of this one.
    fn obey(&self, to: &Selection, command: &Command);

    /// Puts another server's event to the sockets of this one and collects their acknowledgements. The second value is how
    /// many sockets were asked.
    fn ask(&self, to: &Selection, data: Data, deadline: Instant) -> (Answers, usize);

    /// Hands an event of another server to the handlers of this one; what they answer, or `None` where there is nothing to
    /// answer with. They run whether or not the future is awaited.
    fn hear(&self, event: Data) -> BoxFuture<Option<Data>>;

    /// Describes the selected sockets of this server.
    fn sockets(&self, to: &Selection) -> Vec<SocketInfo>;

    /// The rooms that have a member on this server, those named by a socket's own id among them.
    fn rooms(&self) -> Vec<String>;

    /// Whether a room has a member on this server.
    fn has_room(&self, room: &str) -> bool;

    /// The rooms of a socket of this server; `None` if there is no such socket.
    fn rooms_of(&self, socket: &SocketId) -> Option<Vec<String>>;

    /// Ends a socket of this server whose session was claimed on another one, or that may have missed what it was promised. Nothing
    /// is told to the client, which is there by now; its connection is closed. Once this returns, the adapter has been told that
    /// the socket is gone, so that what it is told next is of the one that comes after it.
    fn evict(&self, socket: &SocketId);
}

/// An event on its way to many.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Broadcast {
    /// The event and its arguments.
    pub data: Data,
    /// May be dropped where a client can't take it at once.
    pub volatile: bool,
    /// For the sockets of the server that emitted it only. It is published only to be [recorded](Recovery::record).
    pub local: bool,
    /// Its place among the recoverable broadcasts of the namespace.
    pub offset: Option<Box<str>>,
}

impl Broadcast {
    /// A broadcast that every recipient gets or is cut off.
    pub fn new(data: Data) -> Self {
        Self {
            data,
            volatile: false,
            local: false,
            offset: None,
        }
    }

    /// Sets whether it may be dropped.
    #[must_use]
    pub fn volatile(mut self, volatile: bool) -> Self {
        self.volatile = volatile;
        self
    }

    /// Sets whether it stays on the server that emitted it.
    #[must_use]
    pub fn local(mut self, local: bool) -> Self {
        self.local = local;
        self
    }

    /// Gives it its place.
    #[must_use]
    pub fn at(mut self, offset: impl Into<Box<str>>) -> Self {
        self.offset = Some(offset.into());
        self
    }
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

/// A change to the rooms of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moved<'a> {
    /// It is in these rooms now and was not before.
    Joined(&'a [Box<str>]),
    /// It was in these rooms and no longer is.
    Left(&'a [Box<str>]),
    /// It has left the namespace, and these rooms, its own among them.
    Gone(&'a [Box<str>]),
}
