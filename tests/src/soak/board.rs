use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::sleep;

/// What publishers have said so far, and how far the run is.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Of each room, what each publisher has said there.
    rooms: Mutex<HashMap<String, HashMap<String, Published>>>,
    deliveries: AtomicU64,
    clients: AtomicUsize,
    stopped: AtomicBool,
    closed: AtomicBool,
}

/// Numbers of a publisher in a room, from 0.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Published {
    /// Up to here its server was asked to publish.
    pub(super) asked: u64,
    /// Up to here the engine has taken them.
    pub(super) confirmed: u64,
}

impl Board {
    fn rooms(&self) -> MutexGuard<'_, HashMap<String, HashMap<String, Published>>> {
        self.rooms.lock().expect("no code panics under this lock")
    }

    /// Takes the next numbers of a publisher; the first of them.
    pub(super) fn ask(&self, publisher: &str, room: &str, count: u64) -> u64 {
        let mut rooms = self.rooms();
        let room = rooms.entry(room.to_owned()).or_default();
        let published = room.entry(publisher.to_owned()).or_default();
        published.asked += count;
        published.asked - count
    }

    /// Everything that was asked for until now is with the engine.
    pub(super) fn confirm(&self, publisher: &str, room: &str) {
        let mut rooms = self.rooms();
        let published = rooms.get_mut(room).and_then(|room| room.get_mut(publisher));
        let published = published.expect("it was asked for");
        published.confirmed = published.asked;
    }

    /// What was said in a room until now.
    pub(super) fn said(&self, room: &str) -> HashMap<String, Published> {
        self.rooms().get(room).cloned().unwrap_or_default()
    }

    pub(super) fn delivered(&self) {
        self.deliveries.fetch_add(1, Relaxed);
    }

    pub(super) async fn reached(&self, deliveries: u64) {
        until(|| self.deliveries.load(Relaxed) >= deliveries).await;
    }

    pub(super) fn entered(&self) {
        self.clients.fetch_add(1, Relaxed);
    }

    pub(super) async fn all_in(&self, clients: usize) {
        until(|| self.clients.load(Relaxed) >= clients).await;
    }

    /// Publishers are to stop.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Nothing more is published: clients wait for what is on its way, and end.
    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }
}

async fn until(reached: impl Fn() -> bool) {
    while !reached() {
        sleep(Duration::from_millis(2)).await;
    }
}
