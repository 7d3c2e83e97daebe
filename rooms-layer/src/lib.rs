//! rooms-layer

pub mod rooms;
mod token;
