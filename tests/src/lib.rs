//! Harness of the outside suites.

pub mod demo;
