//! What a change to the directory did, for those who announce it.

use std::sync::Arc;

use super::id::SocketId;

/// What [`Directory::join`](super::Directory::join) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The socket was not in the room before.
    pub changed: bool,
    /// Nobody was in the room before.
    pub created: bool,
}

/// What [`Directory::leave`](super::Directory::leave) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The socket was in the room before.
    pub changed: bool,
    /// Nobody is in the room any more.
    pub deleted: bool,
}

/// What [`Directory::remove`](super::Directory::remove) took out.
#[derive(Debug)]
#[must_use = "the handle may be the last one, and is better dropped outside the lock"]
pub struct Removed<H> {
    /// The id that the socket had.
    pub id: SocketId,
    /// The handle that it was delivered to.
    pub handle: H,
    /// The rooms that it was in, its own first.
    pub rooms: Vec<LeftRoom>,
}

/// A room that a removed socket was in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftRoom {
    /// The room's name.
    pub name: Arc<str>,
    /// Nobody is in the room any more.
    pub deleted: bool,
}
