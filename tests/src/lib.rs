//! Harness of the outside suites.

pub mod client;
pub mod fixture;
pub mod node;
pub mod server;
