//! The only room that touches a socket: which HTTP requests become connections or belong to them, how the latter are answered,
//! and the pipes that connections become.

mod answer;
mod asked;
mod body;
mod config;
mod cookie;
mod exchange;
mod hooks;
mod origin;
mod pipes;
mod refused;
mod server;
mod strays;
mod upgrade;

pub(crate) use answer::Answer;
pub use answer::ResponseFuture;
pub use asked::Transports;
use asked::{Asked, Rules};
pub use body::ResponseBody;
pub use config::{ConfigError, HttpConfig};
pub use cookie::{HandshakeCookie, SameSite};
use exchange::Exchange;
use hooks::Hooks;
pub use hooks::Refusal;
pub use origin::Origins;
pub(crate) use pipes::stream_pipe;
#[cfg(test)]
pub(crate) use pipes::tcp_pipe;
use pipes::{Upgraded, Upgrading};
use refused::Refused;
pub(crate) use server::{Accept, Server};
use strays::Strays;
use upgrade::Handshake;
