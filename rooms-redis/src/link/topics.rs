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
    entries: Mutex<HashMap<Topic, Entry>>,
    /// There is something to subscribe or to unsubscribe.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Entry {
    listeners: Vec<Arc<dyn Listener>>,
    /// Redis has confirmed the subscription on the present connection.
    confirmed: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// What a connection has to be told.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) subscribe: Vec<Topic>,
    pub(super) unsubscribe: Vec<Topic>,
}

impl Topics {
    fn entries(&self) -> MutexGuard<'_, HashMap<Topic, Entry>> {
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
            let left = entries.get_mut(topic).is_some_and(|entry| {
                entry
                    .listeners
                    .retain(|other| !Arc::ptr_eq(other, listener));
                entry.listeners.is_empty()
            });
            drop(entries);
            if left {
                self.changed.notify_one();
            }
            return Confirmed::now();
        }
        let entry = entries.entry(topic.clone()).or_default();
        if !entry
            .listeners
            .iter()
            .any(|other| Arc::ptr_eq(other, listener))
        {
            entry.listeners.push(listener.clone());
        }
        if entry.confirmed {
            return Confirmed::now();
        }
        let (confirm, confirmed) = oneshot::channel();
        entry.waiting.retain(|waiting| !waiting.is_closed());
        entry.waiting.push(confirm);
        drop(entries);
        self.changed.notify_one();
        Confirmed::when(async move {
            let lost = |_| AdapterError::new("the adapter was closed before Redis had subscribed");
            confirmed.await.map_err(lost)
        })
    }

    /// Stops listening to whatever this listener listens to.
    pub(crate) fn forget(&self, listener: &Arc<dyn Listener>) {
        let mut entries = self.entries();
        for entry in entries.values_mut() {
            entry
                .listeners
                .retain(|other| !Arc::ptr_eq(other, listener));
        }
        drop(entries);
        self.changed.notify_one();
    }

    /// Nothing is listened to any more.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries
            .values_mut()
            .for_each(|entry| entry.listeners.clear());
        drop(entries);
        self.changed.notify_one();
    }

    /// Those who listen to a topic.
    pub(super) fn listeners(&self, topic: &Topic) -> Vec<Arc<dyn Listener>> {
        let entries = self.entries();
        entries
            .get(topic)
            .map_or_else(Vec::new, |entry| entry.listeners.clone())
    }

    /// What is to be done so that what is subscribed is what is wanted.
    pub(super) fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        self.entries().retain(|topic, entry| {
            match (entry.listeners.is_empty(), entry.confirmed) {
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
        if let Some(entry) = self.entries().get_mut(topic) {
            entry.confirmed = true;
            for waiting in entry.waiting.drain(..) {
                // Who has stopped waiting does not mind.
                let _ = waiting.send(());
            }
        }
    }

    /// Redis has ended the subscription: because it was asked to, or because the slot has moved to another node.
    pub(super) fn unsubscribed(&self, topic: &Topic) {
        if let hash_map::Entry::Occupied(mut entry) = self.entries().entry(topic.clone()) {
            match entry.get().listeners.is_empty() {
                true => drop(entry.remove()),
                false => entry.get_mut().confirmed = false,
            }
        }
        self.changed.notify_one();
    }

    /// The connection is gone, and all subscriptions with it.
    pub(super) fn lost(&self) {
        let mut entries = self.entries();
        entries
            .values_mut()
            .for_each(|entry| entry.confirmed = false);
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        f.debug_set().entries(entries.keys()).finish()
    }
}
