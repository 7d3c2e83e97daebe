//! rooms-layer

pub mod rooms;
pub(crate) mod session;
mod token;

pub use session::DisconnectReason;
