//! The only room that touches a socket: which HTTP requests become connections or belong to them, how the latter are answered,
//! and the pipes that connections become.

mod asked;
mod exchange;
mod origin;
mod pipes;
mod refused;
mod upgrade;

pub use asked::Transports;
pub(crate) use asked::{Asked, Rules};
pub(crate) use exchange::{Exchange, packets};
pub use origin::Origins;
#[cfg(test)]
pub(crate) use pipes::tcp_pipe;
pub(crate) use pipes::{Upgrading, stream_pipe};
pub(crate) use refused::Refused;
pub(crate) use upgrade::{Handshake, switching_protocols};
