//! What is listened to, and by whom.

use rooms_layer::rooms::adapter::{AdapterError, Confirmed};
use std::{
    collections::{HashMap, hash_map},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::{Notify, oneshot};

/// How something is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// One channel: `SUBSCRIBE`.
    Channel,
    /// All channels of a glob pattern: `PSUBSCRIBE`.
    Pattern,
    /// One channel of the Cluster's node that has its slot: `SSUBSCRIBE`.
    Shard,
}

/// Something that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    pub(crate) kind: Kind,
    pub(crate) name: Arc<str>,
}

impl Topic {
    pub(crate) fn new(kind: Kind, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self { kind, name }
    }
}

/// Who is told of what is published.
pub(crate) trait Listener: Send + Sync + 'static {
    /// Something was published to `channel`, which is the topic's name or matches it. Called in the order of the connection,
    /// on the task that reads it.
    fn heard(&self, topic: &Topic, channel: &str, payload: &[u8]);
}

/// The topics that are wanted. What is subscribed follows them.
#[derive(Default)]
pub(crate) struct Topics {
    entries: Mutex<Entries>,
    /// There is something to subscribe or to unsubscribe.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Entries {
    topics: HashMap<Topic, Entry>,
    /// There is no connection, so that nothing is confirmed soon.
    is_lost: bool,
}

#[derive(Default)]
struct Entry {
    listeners: Vec<Arc<dyn Listener>>,
    /// Nobody wants it any more. Whoever was the last to listen is told of what still comes, until Redis has confirmed that
    /// nothing comes any more: others count on answers of those whom their questions have reached.
    is_leaving: bool,
    /// Redis has confirmed the subscription on the present connection.
    is_confirmed: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Entry {
    /// One listener less.
    fn leave(&mut self, listener: &Arc<dyn Listener>) {
        let listens = |other: &Arc<dyn Listener>| Arc::ptr_eq(other, listener);
        match &self.listeners[..] {
            [only] if listens(only) => self.is_leaving = true,
            _ => self.listeners.retain(|other| !listens(other)),
        }
    }
}

/// What a connection has to be told.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) subscribe: Vec<Topic>,
    pub(super) unsubscribe: Vec<Topic>,
}

impl Topics {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().expect("no code panics under this lock")
    }

    /// Listens to a topic if `wanted` says so, and stops if it does not. It is asked under the lock, so that of several who
    /// call at once the one whose answer counts has asked last.
    pub(crate) fn set(
        &self,
        topic: &Topic,
        listener: &Arc<dyn Listener>,
        wanted: impl FnOnce() -> bool,
    ) -> Confirmed {
        let mut entries = self.entries();
        if !wanted() {
            if let Some(entry) = entries.topics.get_mut(topic) {
                entry.leave(listener);
            }
            drop(entries);
            self.changed.notify_one();
            return Confirmed::now();
        }
        let is_lost = entries.is_lost;
        let entry = entries.topics.entry(topic.clone()).or_default();
        if std::mem::take(&mut entry.is_leaving) {
            entry.listeners.clear();
        }
        let listens = |other: &Arc<dyn Listener>| Arc::ptr_eq(other, listener);
        if !entry.listeners.iter().any(listens) {
            entry.listeners.push(listener.clone());
        }
        if entry.is_confirmed {
            return Confirmed::now();
        }
        let unheard = || {
            AdapterError::new(
                "not connected; what others publish is heard once the connection is back",
            )
        };
        if is_lost {
            return Confirmed::when(std::future::ready(Err(unheard())));
        }
        let (confirm, confirmed) = oneshot::channel();
        entry.waiting.retain(|waiting| !waiting.is_closed());
        entry.waiting.push(confirm);
        drop(entries);
        self.changed.notify_one();
        Confirmed::when(async move { confirmed.await.map_err(|_| unheard()) })
    }

    /// Stops listening to whatever this listener listens to.
    pub(crate) fn forget(&self, listener: &Arc<dyn Listener>) {
        let mut entries = self.entries();
        let topics = entries.topics.values_mut();
        topics.for_each(|entry| entry.leave(listener));
        drop(entries);
        self.changed.notify_one();
    }

    /// Nothing is wanted any more.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        let topics = entries.topics.values_mut();
        topics.for_each(|entry| entry.is_leaving = true);
        drop(entries);
        self.changed.notify_one();
    }

    /// Those who listen to a topic.
    pub(super) fn listeners(&self, topic: &Topic) -> Vec<Arc<dyn Listener>> {
        let entries = self.entries();
        let entry = entries.topics.get(topic);
        entry.map_or_else(Vec::new, |entry| entry.listeners.clone())
    }

    /// What is to be done so that what is subscribed is what is wanted.
    pub(super) fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        self.entries().topics.retain(|topic, entry| {
            match (entry.is_leaving, entry.is_confirmed) {
                (true, true) => changes.unsubscribe.push(topic.clone()),
                (true, false) => return false,
                (false, true) => {}
                (false, false) => changes.subscribe.push(topic.clone()),
            }
            true
        });
        changes
    }

    /// Redis has confirmed the subscription.
    pub(super) fn subscribed(&self, topic: &Topic) {
        if let Some(entry) = self.entries().topics.get_mut(topic) {
            entry.is_confirmed = true;
            for waiting in entry.waiting.drain(..) {
                // Who has stopped waiting does not mind.
                let _ = waiting.send(());
            }
        }
    }

    /// Redis has ended the subscription: because it was asked to, or because the slot has moved to another node.
    pub(super) fn unsubscribed(&self, topic: &Topic) {
        let mut entries = self.entries();
        if let hash_map::Entry::Occupied(mut entry) = entries.topics.entry(topic.clone()) {
            match entry.get().is_leaving {
                true => drop(entry.remove()),
                false => entry.get_mut().is_confirmed = false,
            }
        }
        drop(entries);
        self.changed.notify_one();
    }

    /// The connection is gone, and all subscriptions with it.
    pub(super) fn lost(&self) {
        let mut entries = self.entries();
        entries.is_lost = true;
        for entry in entries.topics.values_mut() {
            entry.is_confirmed = false;
            entry.waiting.clear();
        }
    }

    /// There is a connection again.
    pub(super) fn found(&self) {
        self.entries().is_lost = false;
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        f.debug_set().entries(entries.topics.keys()).finish()
    }
}
