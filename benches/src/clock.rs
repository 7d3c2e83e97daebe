//! The clock of every time stamp: `CLOCK_MONOTONIC`, which Node's `process.hrtime` and Rust's `Instant` read too.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Reads the monotonic clock in nanoseconds, comparable between processes of one machine.
#[inline]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

/// Time that this thread has had on a CPU: what a busy machine leaves as it is.
pub fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// The same of all threads of this process.
pub fn process_cpu() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
