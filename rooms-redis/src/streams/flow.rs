//! How far the stream was read, and which history it is.

use crate::protocol::streams::StreamId;
use rooms_layer::rooms::adapter::AdapterError;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::watch;

/// What the reader of the stream tells everybody else.
#[derive(Debug)]
pub(crate) struct Flow {
    state: Mutex<State>,
    /// The last entry that was handed to all who are here.
    done: watch::Sender<StreamId>,
}

#[derive(Debug)]
struct State {
    /// The entry that is being handed over, or was the last.
    begun: StreamId,
    epoch: Arc<str>,
}

impl Flow {
    pub(crate) fn new(at: StreamId, epoch: Arc<str>) -> Self {
        Self {
            state: Mutex::new(State { begun: at, epoch }),
            done: watch::Sender::new(at),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics under this lock")
    }

    /// An entry is about to be handed over.
    pub(crate) fn begin(&self, id: StreamId) {
        self.state().begun = id;
    }

    /// An entry was handed over, or is of no concern here.
    pub(crate) fn finish(&self, id: StreamId) {
        self.done.send_replace(id);
    }

    /// The stream goes on elsewhere.
    pub(crate) fn jump(&self, to: StreamId, epoch: Arc<str>) {
        let mut state = self.state();
        state.begun = to;
        state.epoch = epoch;
        self.done.send_replace(to);
    }

    /// Whoever enters a room now gets at most what comes behind this entry.
    pub(crate) fn for_joining(&self) -> StreamId {
        *self.done.borrow()
    }

    /// Whoever leaves a room now has got at most what comes up to this entry.
    pub(crate) fn for_leaving(&self) -> StreamId {
        self.state().begun
    }

    /// Names the history of the stream. It is another one once something was lost.
    pub(crate) fn epoch(&self) -> Arc<str> {
        self.state().epoch.clone()
    }

    /// Waits until an entry was handed over.
    pub(crate) async fn reached(
        &self,
        id: StreamId,
        patience: Duration,
    ) -> Result<(), AdapterError> {
        let mut done = self.done.subscribe();
        let reached = done.wait_for(|done| *done >= id);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(AdapterError::new(
                "the stream is not read up to where the client is",
            )),
        }
    }
}
