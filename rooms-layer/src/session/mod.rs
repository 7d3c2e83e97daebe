//! One Engine.IO connection as data: its secret id, its heartbeat, and why it ends.
//!
//! Nothing here does I/O or looks at a clock. Time is an argument.

mod close;
mod heartbeat;
mod id;

pub(crate) use close::CloseCause;
pub use close::DisconnectReason;
pub(crate) use heartbeat::{Beat, Heartbeat};
pub(crate) use id::SessionId;
