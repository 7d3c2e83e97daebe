//! Harness of the outside suites.

pub mod client;
pub mod engines;
pub mod fixture;
pub mod node;
pub mod peer;
pub mod proxy;
pub mod same_process;
pub mod server;
pub mod soak;
