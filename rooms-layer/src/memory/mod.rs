//! The adapter of a server that is alone, and what it keeps for clients that come back.

mod log;
mod session;
mod store;

use crate::{
    rooms::{
        Adapter, Selection, SocketId,
        adapter::{
            Answers, Broadcast, Channel, Command, Confirmed, Moved, Opening, Publisher, Question,
            Recovery,
        },
    },
    wire::Data,
};
use std::time::Instant;

use self::store::Store;

/// The adapter of a server that is alone: there is nobody to pass anything on to.
///
/// What clients need that come back is kept in memory, and goes with the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct InMemory;

impl Adapter for InMemory {
    fn name(&self) -> &'static str {
        "in-memory"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let store = opening
            .recovery
            .map(|config| Store::new(config.clone(), opening.local));
        Box::new(Alone { store })
    }
}

/// A namespace of a server that is alone.
struct Alone {
    store: Option<Store>,
}

impl Publisher for Alone {
    fn broadcast(&self, _to: &Selection, _broadcast: &Broadcast) -> Confirmed {
        Confirmed::now()
    }

    fn command(&self, _to: &Selection, _command: &Command) -> Confirmed {
        Confirmed::now()
    }

    fn tell(&self, _event: &Data) -> Confirmed {
        Confirmed::now()
    }
}

impl Channel for Alone {
    fn ask(&self, _to: &Selection, _question: Question<'_>, _deadline: Instant) -> Option<Answers> {
        None
    }

    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        if let Some(store) = &self.store {
            store.moved(socket, moved);
        }
        Confirmed::now()
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        self.store.as_ref().map(|store| store as &dyn Recovery)
    }
}

#[cfg(test)]
mod tests;
