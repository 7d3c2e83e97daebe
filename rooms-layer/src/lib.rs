//! rooms-layer

pub(crate) mod engine;
pub(crate) mod namespace;
pub mod rooms;
pub(crate) mod session;
mod token;
pub(crate) mod transport;
pub mod wire;

pub use session::DisconnectReason;
