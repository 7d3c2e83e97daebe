//! One Engine.IO connection as data: its secret id, its heartbeat, a rate, and why it ends.
//!
//! Nothing here does I/O or looks at a clock. Time is an argument.

mod close;
mod heartbeat;
mod id;
mod rate;

pub(crate) use close::CloseCause;
pub use close::DisconnectReason;
pub(crate) use heartbeat::{Beat, Heartbeat};
pub(crate) use id::SessionId;
pub(crate) use rate::Rate;

use std::time::{Duration, Instant};

/// Adds without overflow, so that a setting of `Duration::MAX` means never.
pub(crate) fn after(now: Instant, duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now + duration.min(CENTURY)
}
