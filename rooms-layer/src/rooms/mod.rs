//! Who is where: sockets, the rooms they are in, and the recipients of a broadcast; and what lies between servers.
//!
//! [`Directory`] is the index. It is pure: it knows no runtime and no lock, and delivers to a handle of any type. Its
//! owner wraps it in a lock, calls [`Directory::select`] under that lock, and walks the resulting [`Snapshot`] outside it.
//! [`Adapter`] is the door for those who join several servers to one cluster.

pub mod adapter;
mod back_end;
mod change;
mod directory;
mod error;
mod id;
mod members;
mod memberships;
mod select;

pub use adapter::{Adapter, AdapterError, Changed, RecoveryConfig};
#[cfg(feature = "server")]
pub(crate) use back_end::Awaited;
pub use back_end::Sent;
pub(crate) use back_end::{BackEnd, Flags, Gathered, Replies};
pub use change::{Joined, Left, LeftRoom, Removed};
pub use directory::{Directory, IdTaken, Slot};
pub use error::{AckError, EmitError, Incomplete, MountError};
pub use id::SocketId;
pub use select::{Selection, Snapshot};
