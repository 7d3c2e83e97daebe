use super::{AdapterError, BoxFuture, Broadcast, Confirmed, Selection, SocketId};
use std::time::Duration;

/// Keeps what clients need that come back after their connection broke: their rooms, and what was broadcast meanwhile.
///
/// The order in which the layer calls it is what makes a recovery whole:
///
/// 1. [`claim`](Self::claim) gives the session to this server, and takes it from the one that had it.
/// 2. The socket enters its rooms. What is delivered to it from now on is held back.
/// 3. [`missed`](Self::missed) reads what was recorded since the client's offset, up to now.
/// 4. The client gets what it missed, then what was held back and was not among it (its offset tells), then whatever
///    comes.
pub trait Recovery: Send + Sync + 'static {
    /// A socket of this server may come back with this token, from now until the window after it is gone has passed. Its
    /// rooms are those of [`Local::rooms_of`](super::Local::rooms_of), and follow [`Channel::moved`](super::Channel::moved).
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed;

    /// A socket of this server will not come back: it has said goodbye, or was told to go.
    fn end(&self, socket: &SocketId);

    /// Gives a broadcast its place, before anybody gets it.
    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded;

    /// Claims the session with this token for this server, if it is still there and everything after `offset` still is.
    ///
    /// A session can be claimed again and again; each claim takes it from the one before, whose socket is
    /// [evicted](super::Local::evict).
    fn claim(&self, token: &str, offset: &str) -> BoxFuture<Option<Claimed>>;

    /// What was recorded after the client's offset for the rooms of the claimed session, up to now, in order.
    ///
    /// # Errors
    ///
    /// Fails where that can't be had any more. The client is then treated as a new one.
    fn missed(&self, claimed: &Claimed) -> BoxFuture<Result<Vec<Logged>, AdapterError>>;
}

/// What clients that come back are promised.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecoveryConfig {
    /// How long a client may stay away. Default 2 minutes, as in Node.
    pub window: Duration,
    /// How many broadcasts are kept for each namespace, whatever their age. Default 10,000.
    pub max_packets: usize,
    /// How many bytes of broadcasts are kept for each namespace. Default 16 MiB.
    pub max_bytes: usize,
    /// How many sessions of clients that are away are kept for each namespace. Default 10,000.
    pub max_sessions: usize,
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(120),
            max_packets: 10_000,
            max_bytes: 16 * 1024 * 1024,
            max_sessions: 10_000,
        }
    }
}

/// What became of a broadcast that was to be recorded.
#[derive(Debug)]
#[non_exhaustive]
pub enum Recorded {
    /// It has this place, and is delivered by the layer now.
    Now(Box<str>),
    /// The engine gives it its place. The adapter then hands it to [`Local::deliver`](super::Local::deliver) of every server,
    /// this one included, so that all deliver in the same order.
    Later(Confirmed),
}

/// A session that this server has claimed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Claimed {
    /// The id of its socket.
    pub socket: SocketId,
    /// The rooms that the socket was in.
    pub rooms: Vec<Box<str>>,
    /// The last offset that the client has seen.
    pub offset: Box<str>,
}

impl Claimed {
    /// Puts one together.
    pub fn new(socket: SocketId, rooms: Vec<Box<str>>, offset: impl Into<Box<str>>) -> Self {
        Self {
            socket,
            rooms,
            offset: offset.into(),
        }
    }
}

/// A broadcast that was recorded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Logged {
    /// The broadcast, with its offset.
    pub broadcast: Broadcast,
}

impl Logged {
    /// A broadcast that has its offset.
    pub fn new(broadcast: Broadcast) -> Self {
        Self { broadcast }
    }
}
