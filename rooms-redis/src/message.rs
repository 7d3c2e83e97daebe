//! What the servers of a cluster say to each other, whatever form it travels in.

use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Broadcast, Command, SocketInfo},
    },
    wire::{Args, Data},
};
use std::time::Duration;

/// Names a question among all servers.
pub(crate) type Id = Box<str>;

/// One thing that is said.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// An event for sockets.
    Broadcast { to: Selection, broadcast: Broadcast },
    /// Something to do with sockets. Old servers want to hear that it is done.
    Command {
        to: Selection,
        command: Command,
        confirm: Option<Id>,
    },
    /// An event for the servers themselves.
    Tell { event: Data, answer: Option<Wish> },
    /// An event for sockets, whose acknowledgements are to be passed on.
    AskAcks {
        id: Id,
        to: Selection,
        event: Data,
        /// For how long they are waited for.
        timeout: Option<Duration>,
    },
    /// A question about sockets.
    AskAbout { id: Id, to: Selection, what: What },

    /// So many sockets were asked for acknowledgements, which follow.
    Clients { id: Id, count: usize },
    /// A socket has acknowledged.
    Acked {
        id: Id,
        socket: SocketId,
        args: Args,
    },
    /// The answer to a question about sockets.
    Known { id: Id, known: Known },
    /// What a server answers to an event; nothing, where it says so.
    Heard { id: Id, args: Option<Args> },
    /// What an old server wanted done is done.
    Done { id: Id },
    /// The session of this socket was claimed by the server that says so, from the one whose fence this was.
    Evict { socket: SocketId, fence: Box<str> },
}

/// How an event for servers is to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) id: Id,
    /// Also by those who have nothing to say. Node's servers then keep silent, and do not expect it of others.
    pub(crate) even_if_nothing: bool,
}

/// What is asked about sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Who they are.
    Sockets,
    /// How many they are.
    Count,
    /// Which rooms there are. The selection does not matter.
    Rooms,
    /// Their ids, as old servers ask.
    Ids,
}

/// What is answered about sockets. Node's servers answer with the sockets where their number or their rooms were asked for.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Sockets(Vec<SocketInfo>),
    Count(usize),
    Rooms(Vec<String>),
    Ids(Vec<String>),
}

impl Message {
    /// The question that this answers.
    pub(crate) fn answers(&self) -> Option<&Id> {
        match self {
            Self::Clients { id, .. }
            | Self::Acked { id, .. }
            | Self::Known { id, .. }
            | Self::Heard { id, .. }
            | Self::Done { id } => Some(id),
            Self::Broadcast { .. }
            | Self::Command { .. }
            | Self::Tell { .. }
            | Self::AskAcks { .. }
            | Self::AskAbout { .. }
            | Self::Evict { .. } => None,
        }
    }
}

/// A message and who sent it.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// The sender. Emitters leave it out, or call themselves `emitter`.
    pub(crate) from: Option<Box<str>>,
    /// The namespace, where the message says it.
    pub(crate) namespace: Option<Box<str>>,
    pub(crate) message: Message,
}
