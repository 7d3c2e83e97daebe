//! Harness of the outside suites.

pub mod demo;
pub mod fixture;
pub mod node;
