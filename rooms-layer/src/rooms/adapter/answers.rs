use super::{Args, Data, SocketId};
use futures_core::Stream;
use serde_json::value::RawValue;
use std::{pin::Pin, sync::Arc};

/// What servers are asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Question<'a> {
    /// The acknowledgements of the selected sockets to an event.
    Acks(&'a Data),
    /// Who the selected sockets are.
    Sockets,
    /// How many the selected sockets are.
    Count,
    /// Which rooms have members. The selection is not looked at.
    Rooms,
    /// What the servers themselves answer to an event. The selection is not looked at.
    Servers(&'a Data),
}

/// Answers of other servers, as they come.
pub type Answers = Pin<Box<dyn Stream<Item = Answer> + Send>>;

/// One answer of another server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A socket has acknowledged. Its id is [anonymous](SocketId::anonymous) where the other server does not say it.
    Acked(SocketId, Args),
    /// So many sockets of other servers were asked and have not acknowledged.
    Unanswered(usize),
    /// A selected socket.
    Found(SocketInfo),
    /// So many sockets are selected on a server.
    Counted(usize),
    /// The rooms of a server.
    Named(Vec<String>),
    /// What a server answered itself.
    Heard(Args),
    /// So many servers have not answered in time. The last answer, if it is given.
    Missing(usize),
}

/// A socket, as other servers are told of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SocketInfo {
    /// Its id.
    pub id: SocketId,
    /// The rooms it is in.
    pub rooms: Vec<Box<str>>,
    /// What it carries, as JSON; `None` where that can't be serialised.
    pub data: Option<Arc<RawValue>>,
    /// Its handshake, as JSON: an object like Node's `handshake`.
    pub handshake: Option<Arc<RawValue>>,
}

impl SocketInfo {
    /// Describes a socket that carries nothing.
    pub fn new(id: SocketId, rooms: Vec<Box<str>>) -> Self {
        Self {
            id,
            rooms,
            data: None,
            handshake: None,
        }
    }
}
