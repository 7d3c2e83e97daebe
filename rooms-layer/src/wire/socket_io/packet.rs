//! A received packet.

use std::{fmt, ops::Range};

use crate::wire::Args;

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client asks for a namespace, or the server lets it in.
    Connect,
    /// The sender leaves a namespace, or the server has the client leave.
    Disconnect,
    /// An event, with or without attachments.
    Event,
    /// The answer to an event, with or without attachments.
    Ack,
    /// The server refuses a namespace.
    ConnectError,
}

/// A whole packet, its attachments included. It owns its text, in one piece.
#[derive(Clone)]
pub struct Packet {
    pub(super) kind: Kind,
    /// Empty for the default namespace.
    pub(super) namespace: Range<usize>,
    pub(super) id: Option<u64>,
    pub(super) event: EventName,
    pub(super) args: Args,
}

/// An event's name, read from the packet's text or, if it is escaped there, on its own.
#[derive(Clone, Debug)]
pub(super) enum EventName {
    InText(Range<usize>),
    Unescaped(Box<str>),
}

impl Packet {
    /// What the packet is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The namespace, as the peer wrote it; `/` if it wrote none.
    pub fn namespace(&self) -> &str {
        match self.args.text_at(&self.namespace) {
            "" => "/",
            namespace => namespace,
        }
    }

    /// The number that joins an event and its acknowledgement.
    ///
    /// An event without one asks for no answer. An acknowledgement without one answers nothing and is to be ignored,
    /// as Node does.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// The event's name; a numeric name is its digits. It is empty for other kinds, and for an event that came
    /// without any payload, which Node lets pass and which no handler is for.
    pub fn event(&self) -> &str {
        match &self.event {
            EventName::InText(range) => self.args.text_at(range),
            EventName::Unescaped(name) => name,
        }
    }

    /// The arguments of an event, without its name, or of an acknowledgement. For a connect packet, its payload: an
    /// object, or nothing.
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// Takes the arguments out of the packet.
    pub fn into_args(self) -> Args {
        self.args
    }
}

/// Leaves the payload out: it does not belong in logs.
impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace())
            .field("id", &self.id)
            .field("event", &self.event())
            .field("args", &self.args)
            .finish()
    }
}
