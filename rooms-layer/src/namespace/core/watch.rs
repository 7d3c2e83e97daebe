//! Emits that are watched.

use super::{Handlers, Namespace, Peer};
use crate::wire::{Args, Data};
use std::sync::Arc;

/// The name and the arguments of an event as it travels.
pub(super) fn read_event(data: &Data) -> Option<(String, Args)> {
    let elements = data.json().strip_prefix('[')?;
    let mut elements = serde_json::Deserializer::from_str(elements).into_iter();
    let name = elements.next()?.ok()?;
    Some((name, Args::from_data(data).ok()?))
}

/// Emits that are watched.
impl Namespace {
    /// Where the application watches its emits: what it is told.
    pub(in crate::namespace) fn watch(&self, data: &Data) -> Option<Watch<'_>> {
        let handlers = self.handlers()?;
        handlers
            .watches_outgoing()
            .then(|| Watch::new(&**handlers, data))?
    }
}

/// An event that goes out, read back for those who watch.
pub(in crate::namespace) struct Watch<'a> {
    handlers: &'a dyn Handlers,
    event: String,
    args: Args,
}

impl<'a> Watch<'a> {
    fn new(handlers: &'a dyn Handlers, data: &Data) -> Option<Self> {
        match read_event(data) {
            Some((event, args)) => Some(Self {
                handlers,
                event,
                args,
            }),
            None => {
                tracing::warn!("an event can't be read back, and is not shown to those who watch");
                None
            }
        }
    }

    /// Tells that the event is about to be queued for a peer. No lock is held.
    pub(in crate::namespace) fn tell(&self, peer: &Arc<Peer>) {
        self.handlers.outgoing(peer, &self.event, &self.args);
    }
}
