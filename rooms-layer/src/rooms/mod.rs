//! Who is where: sockets, the rooms they are in, and the recipients of a broadcast.
//!
//! [`Directory`] is the index. It is pure: it knows no runtime and no lock, and delivers to a handle of any type. Its
//! owner wraps it in a lock, calls [`Directory::select`] under that lock, and walks the resulting [`Snapshot`] outside it.

mod change;
mod directory;
mod id;
mod members;
mod memberships;
mod select;

pub use change::{Joined, Left, LeftRoom, Removed};
pub use directory::{Directory, IdTaken, Slot};
pub use id::SocketId;
pub use select::{Selection, Snapshot};
