use crate::sync::Mutex;
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Parts of a count that threads add to, so that they seldom meet.
const SHARDS: usize = 16;

/// What has happened on one server since it was made.
///
/// What happens often is counted in shards, with one relaxed addition for each message of a client and for each emit, however
/// many receive it. What ends or is refused is counted by its name, under a lock.
#[derive(Default)]
pub(crate) struct Counters {
    shards: [Shard; SHARDS],
    opened: AtomicU64,
    closed: Tally,
    refused: Tally,
}

/// What is counted often.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    /// An event of a client.
    EventsIn,
    /// An emit of this server's application, to whomever.
    EventsOut,
    /// A packet that was queued for a socket because of an emit, here or on another server.
    Deliveries,
    /// A volatile packet that a client could not take.
    Dropped,
}

const COUNTS: usize = Count::Dropped as usize + 1;

/// On a cache line of its own (two of them, which is what processors fetch).
#[derive(Default)]
#[repr(align(128))]
struct Shard([AtomicU64; COUNTS]);

/// Counts by name. Names are ours, so there are few.
#[derive(Default)]
struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Counters {
    pub(crate) fn add(&self, count: Count, many: usize) {
        let shard = &self.shards[home() % SHARDS];
        shard.0[count as usize].fetch_add(many as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, count: Count) -> u64 {
        let parts = self.shards.iter();
        parts
            .map(|shard| shard.0[count as usize].load(Ordering::Relaxed))
            .sum()
    }

    pub(super) fn add_opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections were opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(super) fn add_closed(&self, cause: &'static str) {
        self.closed.add(cause);
    }

    /// How many connections have ended, by their causes.
    pub(crate) fn closed(&self) -> BTreeMap<&'static str, u64> {
        self.closed.get()
    }

    /// Something that was asked for was refused.
    pub(crate) fn add_refused(&self, reason: &'static str) {
        self.refused.add(reason);
    }

    /// How much was refused, by reasons.
    pub(crate) fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.refused.get()
    }
}

impl Tally {
    fn add(&self, name: &'static str) {
        let mut counts = self.0.lock().expect("no code panics under this lock");
        *counts.entry(name).or_default() += 1;
    }

    fn get(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.0.lock().expect("no code panics under this lock");
        counts.clone()
    }
}

/// A number of the calling thread: the list it adds to, the shard it counts in. Threads are numbered as they come.
pub(super) fn home() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static HOME: Cell<usize> = const { Cell::new(usize::MAX) }; }
    HOME.with(|home| {
        if home.get() == usize::MAX {
            home.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        home.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counters.add(Count::Deliveries, 3);
                        counters.add(Count::EventsOut, 1);
                    }
                    counters.add_refused("late");
                });
            }
        });
        assert_eq!(counters.get(Count::Deliveries), 2 * SHARDS as u64 * 300);
        assert_eq!(counters.get(Count::EventsOut), 2 * SHARDS as u64 * 100);
        assert_eq!(counters.get(Count::Dropped), 0);
        assert_eq!(counters.refused(), [("late", 2 * SHARDS as u64)].into());
    }
}
