use super::Engine;
use crate::session::CloseCause;
use std::sync::{Arc, atomic::Ordering};

/// What one client has begun to send and not yet ended: a share of what all clients together may have us hold.
///
/// Each connection has ceilings of its own. This one is for many connections that all hold as much as they may.
pub(crate) struct Held {
    engine: Arc<Engine>,
    bytes: usize,
}

impl Held {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, bytes: 0 }
    }

    /// Notes how much it is by now.
    ///
    /// # Errors
    ///
    /// Fails where it is more than before and all together would be too much.
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), CloseCause> {
        if bytes == self.bytes {
            return Ok(());
        }
        let before = self.bytes;
        self.bytes = bytes;
        let held = &self.engine.held;
        if bytes < before {
            held.fetch_sub(before - bytes, Ordering::Relaxed);
            return Ok(());
        }
        let more = bytes - before;
        let all = held.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        let limit = self.engine.config().max_held_bytes;
        if all > limit {
            tracing::warn!(
                all,
                limit,
                "refused: clients together have too much of unfinished messages held"
            );
            return Err(CloseCause::Overloaded);
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.engine.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
