//! rooms-layer

pub(crate) mod namespace;
pub mod rooms;
pub(crate) mod session;
pub mod wire;
