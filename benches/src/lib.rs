//! Measures what a connection, a delivery and a round trip cost: our server, the floor below it and its peers.
//!
//! - [`load`] is the load generator: one thread, one epoll loop, about 64 bytes per client.
//! - [`servers`] knows every server under test, how to build it and how to run it.
//! - [`served`] is the application of our own.
//! - [`compare`] runs them in turn and draws the table and the plots.
//! - [`cluster`] runs several servers that an adapter joins, and counts what its engine does for them.
//! - [`protocol`] is what the load generator and the servers have agreed on.
//! - [`in_memory`] is clients without a kernel.
//! - [`by_hand`] is what the floor, and the peers without a Socket.IO library, answer.
//!
//! The commands are described in `README.md`.

pub mod by_hand;
pub mod clock;
pub mod cluster;
pub mod compare;
pub mod in_memory;
pub mod load;
pub mod proc;
pub mod protocol;
pub mod served;
pub mod servers;
