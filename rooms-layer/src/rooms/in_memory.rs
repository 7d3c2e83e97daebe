use super::{
    Adapter, Selection, SocketId,
    adapter::{
        Answers, Broadcast, Channel, Command, Confirmed, Moved, Opening, Publisher, Question,
    },
};
use crate::wire::Data;
use std::time::Instant;

/// The adapter of a server that is alone: there is nobody to pass anything on to.
#[derive(Debug, Clone, Copy, Default)]
pub struct InMemory;

impl Adapter for InMemory {
    fn name(&self) -> &'static str {
        "in-memory"
    }

    fn open(&self, _opening: Opening<'_>) -> Box<dyn Channel> {
        Box::new(Self)
    }
}

impl Publisher for InMemory {
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

impl Channel for InMemory {
    fn ask(&self, _to: &Selection, _question: Question<'_>, _deadline: Instant) -> Option<Answers> {
        None
    }

    fn moved(&self, _socket: &SocketId, _moved: Moved<'_>) -> Confirmed {
        Confirmed::now()
    }
}
