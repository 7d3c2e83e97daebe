//! How long to wait before the next attempt.

use std::time::Duration;

/// Waits that double from 50 ms up to 2 s, each shortened by chance, so that the servers of a cluster do not come back as one.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    /// How many attempts have failed since the last success.
    pub(crate) fn failures(&self) -> usize {
        self.failures as usize
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(crate) async fn failed(&mut self) {
        let longest = Self::FIRST.saturating_mul(1 << self.failures.min(10));
        let share = rand::random_range(0.5..=1.0);
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(longest.min(Self::LONGEST).mul_f64(share)).await;
    }
}
