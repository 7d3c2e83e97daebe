//! The only room that touches a socket: which HTTP requests become connections, and the pipes that they become.

mod origin;
mod pipes;
mod upgrade;

pub use origin::Origins;
pub(crate) use pipes::{Upgrading, stream_pipe};
pub(crate) use upgrade::{Refused, inspect, switching_protocols};
