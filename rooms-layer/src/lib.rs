//! rooms-layer
