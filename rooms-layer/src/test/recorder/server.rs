//! The recorder as a server, for those who hold an `Io`.

use super::{Recorder, Recording};
use crate::{
    contract::{DynamicNamespace, Io, Namespace, bounds::StaticNamespace},
    rooms::{
        Adapter, Selection, SocketId,
        adapter::{Answers, Channel, Confirmed, Moved, Opening, Question},
    },
};
use std::time::Instant;

impl<N: Namespace> Recorder<N> {
    /// Returns a handle whose emits are recorded.
    pub fn io(&self) -> Io<N>
    where
        N::Contract: StaticNamespace,
    {
        self.rooms.io()
    }

    /// Returns a handle to one of the namespaces `N` whose emits are recorded.
    pub fn at(&self, namespace: N) -> Io<N>
    where
        N: DynamicNamespace,
    {
        self.rooms.reserve(namespace)
    }
}

impl Adapter for Recording {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn open(&self, _opening: Opening<'_>) -> Box<dyn Channel> {
        Box::new(self.clone())
    }
}

impl Channel for Recording {
    fn ask(&self, to: &Selection, question: Question<'_>, _deadline: Instant) -> Option<Answers> {
        if let Question::Acks(data) = question {
            self.record(Some(to), data);
        }
        None
    }

    fn moved(&self, _socket: &SocketId, _moved: Moved<'_>) -> Confirmed {
        Confirmed::now()
    }
}
