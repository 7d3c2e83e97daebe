//! Dynamic namespaces whose clients may come back.

use super::Namespace;
use crate::sync::{Mutex, MutexGuard};
use std::sync::Arc;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

/// Until when a dynamic namespace stays although nobody is in it; `None` while nothing keeps it for that.
#[derive(Default)]
pub(super) struct Linger(Mutex<Option<Instant>>);

impl Linger {
    /// Until when there is still to stay; from then on, nothing keeps it.
    fn rest(&self) -> Option<Instant> {
        let mut until = self.until();
        *until = until.filter(|until| *until > Instant::now());
        *until
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().expect("no code panics under this lock")
    }
}

impl Namespace {
    /// A client is gone that may come back. What is kept for it is kept by its namespace, which stays for that time: of a
    /// dynamic one, a task holds it. There is one such task for each, however many clients go.
    pub(super) fn linger(self: &Arc<Self>) {
        if self.values().is_none() || self.recovery().is_none() {
            return;
        }
        let window = self
            .hub()
            .and_then(|hub| hub.recovery().map(|config| config.window));
        // Without a runtime the server is going down.
        let (Some(window), Ok(runtime)) = (window, Handle::try_current()) else {
            return;
        };
        let Some(until) = Instant::now().checked_add(window) else {
            return;
        };
        if self.lingers.until().replace(until).is_none() {
            runtime.spawn(stay(self.clone()));
        }
    }
}

async fn stay(namespace: Arc<Namespace>) {
    while let Some(until) = namespace.lingers.rest() {
        sleep_until(until).await;
    }
}
