#[cfg(doc)]
use super::Channel;
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

    /// A socket of this server will not come back: it has said goodbye, or was told to go. Not told of one that was evicted.
    fn end(&self, socket: &SocketId);

    /// Gives a broadcast its place, before anybody gets it.
    ///
    /// Calls come one after the other, in the order of the emits, and under the lock that [`Channel::moved`] tells of. One that is
    /// [local](Broadcast::local) is recorded like any other, since its recipients may come back on another server; where it is
    /// handed to [`Local::deliver`](super::Local::deliver) later, then on the server that recorded it alone.
    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded;

    /// Claims the session with this token for this server, if it is still there and everything after `offset` still is.
    ///
    /// A session can be claimed again and again; each claim takes it from the one before, whose socket is
    /// [evicted](super::Local::evict) first. The claim takes effect when the socket enters its rooms, which
    /// [`Channel::moved`] tells.
    fn claim(&self, token: &str, offset: &str) -> BoxFuture<Option<Claimed>>;

    /// What was recorded after the client's offset for the rooms of the claimed session, up to now, in order.
    ///
    /// # Errors
    ///
    /// Fails where that can't be had any more. The client is then treated as a new one.
    fn missed(&self, claimed: &Claimed) -> BoxFuture<Result<Vec<Logged>, AdapterError>>;
}

/// What clients that come back are promised.
///
/// Every adapter with recovery keeps to all of it: what is more than is kept makes a client a new one. Where an engine keeps what is
/// needed, it has settings of its own beside these; `docs/guide/recovery.md` has a table of what each counts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecoveryConfig {
    /// How long a client may stay away. Default 2 minutes, as in Node.
    pub window: Duration,
    /// How many broadcasts are kept for each namespace, or read for a client, whatever their age. Default 10,000.
    pub max_packets: usize,
    /// How many bytes of broadcasts are kept for each namespace, or read for a client. Default 16 MiB.
    pub max_bytes: usize,
    /// How many sessions of clients that are away from a server are kept for each namespace. Default 10,000.
    pub max_sessions: usize,
}

impl RecoveryConfig {
    /// Sets [`window`](Self::window).
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets [`max_packets`](Self::max_packets).
    #[must_use]
    pub fn max_packets(mut self, packets: usize) -> Self {
        self.max_packets = packets;
        self
    }

    /// Sets [`max_bytes`](Self::max_bytes).
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets [`max_sessions`](Self::max_sessions).
    #[must_use]
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// What can't work, in words that name the setting.
    #[cfg(feature = "server")]
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let checks = [
            (
                !self.window.is_zero(),
                "`window` of the recovery must not be zero",
            ),
            (
                self.max_packets > 0,
                "`max_packets` of the recovery must not be zero",
            ),
            (
                self.max_bytes > 0,
                "`max_bytes` of the recovery must not be zero",
            ),
            (
                self.max_sessions > 0,
                "`max_sessions` of the recovery must not be zero",
            ),
        ];
        let problem = checks.iter().find(|(fine, _)| !fine);
        problem.map(|(_, problem)| *problem)
    }
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
    /// It has this place, and is delivered by the layer now, to the other servers through [`Publisher::broadcast`](super::Publisher::broadcast).
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
