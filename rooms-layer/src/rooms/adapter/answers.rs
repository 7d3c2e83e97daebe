use super::{Args, Data, SocketId};
use crate::wire::Value;
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, pin::Pin, sync::Arc};

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

/// What servers tell each other of the request that opened a connection: Node's `handshake`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HandshakeSummary {
    /// The headers by their names in lower case. This library leaves out those that carry credentials: `authorization`,
    /// `proxy-authorization` and `cookie`.
    pub headers: BTreeMap<String, Value>,
    /// When the connection was opened, as text.
    pub time: String,
    /// The address at the other end, which may be that of a proxy; empty where it is not known.
    pub address: String,
    /// Whether the request said where it came from.
    pub xdomain: bool,
    /// Whether the connection is known to be encrypted. This library does not know.
    pub secure: bool,
    /// When the connection was opened, in milliseconds since 1970.
    pub issued: u64,
    /// The path and query of the request.
    pub url: String,
    /// The query, decoded.
    pub query: BTreeMap<String, Value>,
    /// What the client sent as `auth`. This library keeps and tells nothing of it.
    pub auth: Value,
}
