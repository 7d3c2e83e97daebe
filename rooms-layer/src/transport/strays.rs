use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How long there is silence after a warning. Each client of such a cluster comes back within seconds, and fails again.
const SILENCE: Duration = Duration::from_secs(60);

/// Requests whose session may well be open, but not here.
///
/// A few are clients that were away for too long, or since before a restart. Many are a load balancer that is not sticky.
#[derive(Debug, Default)]
pub(super) struct Strays {
    count: AtomicU64,
    warned: Mutex<Option<Instant>>,
}

impl Strays {
    pub(super) fn note(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_time_to_warn() {
            tracing::warn!(
                count,
                "a request has a session id that is not of this server: is the load balancer sticky? Long-polling needs \
                 every request of a session to reach the server that opened it, or clients that use WebSocket alone. \
                 (Clients from before a restart ask like this too, once each.)"
            );
        }
    }

    fn is_time_to_warn(&self) -> bool {
        let now = Instant::now();
        let mut warned = self.warned.lock().expect("no code panics under this lock");
        let is_time = warned.is_none_or(|warned| now.duration_since(warned) >= SILENCE);
        if is_time {
            *warned = Some(now);
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_warning_is_followed_by_a_minute_of_silence() {
        let strays = Strays::default();
        assert!(strays.is_time_to_warn());
        tokio::time::advance(SILENCE - Duration::from_millis(1)).await;
        assert!(!strays.is_time_to_warn());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(strays.is_time_to_warn());
        assert!(!strays.is_time_to_warn());
    }
}
