//! One Engine.IO connection as data: its secret id, its heartbeat, and why it ends.
//!
//! Nothing here does I/O or looks at a clock. Time is an argument.
#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the engine, which drives a session, is not here yet"
    )
)]

pub(crate) mod close;
pub(crate) mod heartbeat;
pub(crate) mod id;

pub use close::DisconnectReason;
