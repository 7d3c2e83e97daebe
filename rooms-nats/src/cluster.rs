//! What one server knows: its own namespaces, the other servers, and what it has asked them.

use crate::{presence::Presence, questions::Questions};
use rooms_layer::rooms::adapter::Local;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// Shared by the adapter, its channels and its task.
#[derive(Default)]
pub(crate) struct Cluster {
    namespaces: Mutex<HashMap<Arc<str>, Opened>>,
    next: AtomicU64,
    presence: Mutex<Presence>,
    pub(crate) questions: Arc<Questions>,
    interest: Mutex<Interest>,
    interest_changed: Notify,
}

/// A namespace that is open.
struct Opened {
    /// Which of those that were opened at this path.
    number: u64,
    local: Weak<dyn Local>,
}

/// What may have changed in what this server wants to hear. What is true is asked when it is dealt with.
#[derive(Default)]
pub(crate) struct Interest {
    pub(crate) namespaces: HashSet<Arc<str>>,
    pub(crate) rooms: HashSet<(Arc<str>, Box<str>)>,
}

impl Cluster {
    /// Opens a namespace; the number under which it is closed again.
    pub(crate) fn open(&self, namespace: Arc<str>, local: Weak<dyn Local>) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let opened = Opened { number, local };
        self.namespaces().insert(namespace.clone(), opened);
        self.interest().namespaces.insert(namespace);
        self.interest_changed.notify_one();
        number
    }

    /// Closes a namespace, unless it has been opened again.
    pub(crate) fn close(&self, namespace: &Arc<str>, number: u64) {
        let mut namespaces = self.namespaces();
        if namespaces
            .get(namespace)
            .is_some_and(|opened| opened.number == number)
        {
            namespaces.remove(namespace);
        }
        drop(namespaces);
        self.interest().namespaces.insert(namespace.clone());
        self.interest_changed.notify_one();
    }

    /// The sockets of this server in a namespace.
    pub(crate) fn local(&self, namespace: &str) -> Option<Arc<dyn Local>> {
        self.namespaces().get(namespace)?.local.upgrade()
    }

    /// Whether a namespace is open.
    pub(crate) fn is_open(&self, namespace: &str) -> bool {
        self.namespaces().contains_key(namespace)
    }

    /// Who is in rooms has changed.
    pub(crate) fn moved<'a>(&self, namespace: &Arc<str>, rooms: impl Iterator<Item = &'a str>) {
        let rooms = rooms.map(|room| (namespace.clone(), room.into()));
        self.interest().rooms.extend(rooms);
        self.interest_changed.notify_one();
    }

    /// Waits until there is something to deal with in the interest.
    pub(crate) async fn interest_changed(&self) {
        self.interest_changed.notified().await;
    }

    /// Takes what may have changed in the interest.
    pub(crate) fn take_interest(&self) -> Interest {
        std::mem::take(&mut self.interest())
    }

    pub(crate) fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence
            .lock()
            .expect("no code panics under this lock")
    }

    fn namespaces(&self) -> MutexGuard<'_, HashMap<Arc<str>, Opened>> {
        self.namespaces
            .lock()
            .expect("no code panics under this lock")
    }

    fn interest(&self) -> MutexGuard<'_, Interest> {
        self.interest
            .lock()
            .expect("no code panics under this lock")
    }
}
