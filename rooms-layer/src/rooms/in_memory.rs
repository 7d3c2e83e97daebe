use super::{
    Adapter, Selection, SocketId,
    adapter::{Answers, Channel, Command, Confirmed, Local, Moved, Question},
};
use crate::wire::Data;
use std::{sync::Weak, time::Instant};

/// The adapter of a server that is alone: there is nobody to pass anything on to.
#[derive(Debug, Clone, Copy, Default)]
pub struct InMemory;

impl Adapter for InMemory {
    fn name(&self) -> &'static str {
        "in-memory"
    }

    fn open(&self, _namespace: &str, _local: Weak<dyn Local>) -> Box<dyn Channel> {
        Box::new(Self)
    }
}

impl Channel for InMemory {
    fn broadcast(&self, _to: &Selection, _data: &Data) -> Confirmed {
        Confirmed::now()
    }

    fn command(&self, _to: &Selection, _command: &Command) -> Confirmed {
        Confirmed::now()
    }

    fn ask(&self, _to: &Selection, _question: Question<'_>, _deadline: Instant) -> Option<Answers> {
        None
    }

    fn moved(&self, _socket: &SocketId, _moved: Moved<'_>) -> Confirmed {
        Confirmed::now()
    }
}
