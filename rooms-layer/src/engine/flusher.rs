use super::{Mailbox, counters::home};
use crate::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// How many mailboxes a flusher writes before it lets other tasks run.
const TURN: usize = 32;
/// From this many recipients on, a broadcast is flushed by all workers side by side.
const SPREAD: usize = 64;

/// Writes what broadcasts queued: one task per runtime worker, woken once for a batch, which does one vectored write for
/// each mailbox on its list. A broadcast wakes no task per recipient, and what is queued while a flusher is busy leaves
/// together.
#[derive(Default)]
pub(crate) struct Flusher {
    shards: OnceLock<Box<[Arc<Shard>]>>,
}

#[derive(Default)]
struct Shard {
    waiting: Mutex<Vec<Arc<Mailbox>>>,
    wake: Notify,
    stopped: AtomicBool,
}

impl Flusher {
    pub(crate) fn start(&self) {
        self.shards.get_or_init(|| {
            let workers = tokio::runtime::Handle::current().metrics().num_workers();
            let shards = shards(workers);
            for shard in &shards {
                tokio::spawn(run(shard.clone()));
            }
            shards
        });
    }

    /// The tasks, for who has no runtime to spawn them on.
    #[cfg(all(test, shuttle))]
    pub(crate) fn tasks(&self, workers: usize) -> Vec<impl Future<Output = ()> + use<>> {
        let shards = self.shards.get_or_init(|| shards(workers));
        shards.iter().map(|shard| run(shard.clone())).collect()
    }

    pub(crate) fn stop(&self) {
        for shard in self.shards.get().into_iter().flatten() {
            shard.stopped.store(true, Ordering::Release);
            shard.wake.notify_one();
        }
    }

    fn add(&self, marked: &mut Vec<Arc<Mailbox>>) {
        let Some(shards) = self.shards.get() else {
            // No connection was ever made, so nothing can have been marked.
            return;
        };
        // So that small emits of different workers do not meet on one lock.
        let home = home() % shards.len();
        let share = match shards.len() {
            1 => marked.len(),
            n => marked.len().div_ceil(n).max(SPREAD),
        };
        let mut next = home;
        while !marked.is_empty() {
            let from = marked.len().saturating_sub(share.max(1));
            let shard = &shards[next % shards.len()];
            let mut waiting = shard
                .waiting
                .lock()
                .expect("no code panics under this lock");
            let idle = waiting.is_empty();
            waiting.extend(marked.drain(from..));
            drop(waiting);
            if idle {
                shard.wake.notify_one();
            }
            next += 1;
        }
    }
}

fn shards(workers: usize) -> Box<[Arc<Shard>]> {
    (0..workers.max(1)).map(|_| Arc::default()).collect()
}

async fn run(shard: Arc<Shard>) {
    let mut turn = Vec::new();
    while !shard.stopped.load(Ordering::Acquire) {
        std::mem::swap(
            &mut turn,
            &mut *shard
                .waiting
                .lock()
                .expect("no code panics under this lock"),
        );
        if turn.is_empty() {
            // Gives the list back after a large broadcast.
            turn = Vec::new();
            shard.wake.notified().await;
            continue;
        }
        for (n, mailbox) in turn.drain(..).enumerate() {
            mailbox.flush();
            if n % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Mailboxes that one emit marked, handed to the flusher together when it is dropped.
pub(crate) struct Batch<'a> {
    flusher: &'a Flusher,
    marked: Vec<Arc<Mailbox>>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(flusher: &'a Flusher) -> Self {
        Self {
            flusher,
            marked: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, mailbox: &Arc<Mailbox>) {
        self.marked.push(mailbox.clone());
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.flusher.add(&mut self.marked);
    }
}
