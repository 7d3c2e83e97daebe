use super::{Batch, Flusher, Mailbox};
use crate::sync::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Deadlines are rounded up to this, so that a thousand connections wake the task once.
const TICK: Duration = Duration::from_millis(10);

/// The deadlines of all connections (heartbeats, closing handshakes), driven by one task: a connection pays for an entry in
/// a map, not for a timer or a task. A deadline fires at most one tick late and never early.
pub(crate) struct Timers {
    origin: Instant,
    entries: Mutex<BTreeMap<Key, Arc<Mailbox>>>,
    keys: AtomicU64,
    started: AtomicBool,
    changed: Notify,
    stopped: AtomicBool,
}

/// When (in ticks since the origin), and whose: a mailbox has one entry at most, so an entry can be found again.
type Key = (u64, u64);

impl Default for Timers {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            entries: Mutex::default(),
            keys: AtomicU64::new(0),
            started: AtomicBool::new(false),
            changed: Notify::new(),
            stopped: AtomicBool::new(false),
        }
    }
}

impl Timers {
    pub(crate) fn next_key(&self) -> u64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn start(self: &Arc<Self>, flusher: &Arc<Flusher>) {
        if !self.started.swap(true, Ordering::AcqRel) {
            tokio::spawn(run(self.clone(), flusher.clone()));
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Makes sure that the mailbox is looked at by its deadline. A later entry is moved; an earlier one stays, since looking
    /// too early costs less than moving it at every pong.
    pub(crate) fn schedule(&self, mailbox: &Arc<Mailbox>) {
        let mut entries = self.entries.lock().expect("no code panics under this lock");
        let soonest = entries.first_key_value().map(|(key, _)| key.0);
        let Some(tick) = mailbox.reschedule(
            |deadline| self.tick(deadline),
            |old| {
                entries.remove(&(old, mailbox.key()));
            },
        ) else {
            return;
        };
        entries.insert((tick, mailbox.key()), mailbox.clone());
        drop(entries);
        if soonest.is_none_or(|soonest| tick < soonest) {
            self.changed.notify_one();
        }
    }

    /// Forgets the mailbox of a connection that is over.
    pub(crate) fn forget(&self, mailbox: &Mailbox) {
        let mut entries = self.entries.lock().expect("no code panics under this lock");
        if let Some(tick) = mailbox.unschedule() {
            entries.remove(&(tick, mailbox.key()));
        }
    }

    fn tick(&self, at: std::time::Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin.into_std());
        since.as_nanos().div_ceil(TICK.as_nanos()) as u64
    }

    fn instant(&self, tick: u64) -> Instant {
        // Not a multiplication of durations, whose factor is 32 bits: that many ticks pass in 497 days.
        self.origin + Duration::from_millis(tick.saturating_mul(TICK.as_millis() as u64))
    }

    /// Takes out what is due; the instant of the next deadline otherwise.
    fn due(&self, now: Instant) -> Result<Vec<Arc<Mailbox>>, Option<Instant>> {
        let mut entries = self.entries.lock().expect("no code panics under this lock");
        let tick = (now.duration_since(self.origin).as_nanos() / TICK.as_nanos()) as u64;
        let later = entries.split_off(&(tick + 1, 0));
        let due = std::mem::replace(&mut *entries, later);
        if due.is_empty() {
            let next = entries.first_key_value();
            return Err(next.map(|((tick, _), _)| self.instant(*tick)));
        }
        Ok(due.into_values().collect())
    }
}

async fn run(timers: Arc<Timers>, flusher: Arc<Flusher>) {
    while !timers.stopped.load(Ordering::Acquire) {
        let now = Instant::now();
        match timers.due(now) {
            Ok(due) => {
                let mut batch = Batch::new(&flusher);
                for mailbox in due {
                    mailbox.on_deadline(now.into_std(), &mut batch);
                    timers.schedule(&mailbox);
                }
                drop(batch);
                // Deadlines that are always due (an interval of nothing) may keep this task busy, but no other.
                tokio::task::yield_now().await;
            }
            Err(Some(next)) => {
                // Either is a reason to look again.
                let _ = timeout_at(next, timers.changed.notified()).await;
            }
            Err(None) => timers.changed.notified().await,
        }
    }
}
