//! Harness of the outside suites.
