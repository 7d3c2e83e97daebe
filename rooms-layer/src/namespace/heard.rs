//! Events of other servers that are being handled here: how many there may be at a time.
//!
//! What clients send is slowed down at its connection. A bus has no such place: whoever publishes does not hear that somebody
//! is behind, so that what is too much is dropped, which is logged and counted.

use crate::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    wire::Data,
};
use std::sync::Arc;

/// Those of one server, of all its namespaces together.
#[derive(Default)]
pub(super) struct Heard {
    events: AtomicUsize,
    bytes: AtomicUsize,
    /// One was dropped, and it was said.
    is_told: AtomicBool,
}

/// How many there may be, and how many bytes they may have.
#[derive(Clone, Copy)]
pub(super) struct Ceiling {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// The place of one of them, which is free again when this is dropped.
pub(super) struct Hearing {
    all: Arc<Heard>,
    bytes: usize,
}

impl Heard {
    /// A place for an event, if there is one. An event of more bytes than there may be is taken while it is alone.
    pub(super) fn take(self: &Arc<Self>, event: &Data, ceiling: Ceiling) -> Option<Hearing> {
        let bytes = event.size();
        let before = self.events.fetch_add(1, Ordering::Relaxed);
        let all = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Gives back what it took, also where it is one too many.
        let place = Hearing {
            all: self.clone(),
            bytes,
        };
        let fits = before < ceiling.events && (all <= ceiling.bytes || before == 0);
        if fits {
            if before <= ceiling.events / 2 && all <= ceiling.bytes / 2 {
                self.is_told.store(false, Ordering::Relaxed);
            }
            return Some(place);
        }
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                events = before,
                bytes = all,
                "events of other servers are dropped: their handlers are not as fast as they come"
            );
        }
        None
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.all.events.fetch_sub(1, Ordering::Relaxed);
    }
}
