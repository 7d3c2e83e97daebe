//! rooms-layer

pub mod wire;
