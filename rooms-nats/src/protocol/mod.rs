//! What servers say to each other: msgpack, a message an array.
//!
//! ```text
//! [version, kind, sender, number, ...]
//!
//!  0 hello
//!  1 alive
//!  2 bye
//!  3 broadcast   namespace, rooms | nil, except, volatile, [event, argument...]
//!  4 command     namespace, rooms | nil, except, what, rooms | close
//!  5 tell        namespace, [event, argument...]
//!  6 ask         id, namespace, rooms | nil, except, what, milliseconds, [event, argument...] | nil
//!  7 answers     id, last, asked sockets, [answer...]
//!  8 evict       namespace, socket, revision
//!  9 logged      namespace, rooms | nil, except, local, [event, argument...]
//! ```
//!
//! Fields that are added at the end are passed over by those who do not know them.
//!
//! Whatever comes is as little trusted as what clients send: it is bounded before it is read, and read without recursion.

mod answer;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::{
    answer::write_answer,
    read::{BadMessage, read},
    write::{Header, Part, Plain, answers, ask, broadcast, command, evict, logged, plain, tell},
};

use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Answer, Broadcast, Command},
    },
    wire::{Data, Limits},
};
use std::time::Duration;

/// The first element of each message.
const VERSION: u64 = 1;
/// The longest message that is read, in bytes. NATS itself takes 1 MB unless told otherwise, and never more than this.
const LONGEST: usize = 64 * 1024 * 1024;
/// The longest that a question of another server is kept open.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// The longest id of a server.
const LONGEST_SENDER: usize = 64;

/// One message.
#[derive(Debug)]
pub(crate) struct Message {
    /// The server that sent it.
    pub(crate) from: Box<str>,
    /// Its place among the messages of that server.
    pub(crate) number: u64,
    pub(crate) body: Body,
}

/// What a message says.
#[derive(Debug)]
pub(crate) enum Body {
    /// A server is there, and wants to know who else is.
    Hello,
    /// A server is still there.
    Alive,
    /// A server closes.
    Bye,
    Broadcast {
        namespace: Box<str>,
        to: Selection,
        broadcast: Broadcast,
    },
    Command {
        namespace: Box<str>,
        to: Selection,
        command: Command,
    },
    Tell {
        namespace: Box<str>,
        event: Data,
    },
    Ask(Ask),
    Answers {
        id: u64,
        /// Nothing more will come from this server.
        last: bool,
        /// How many sockets of this server were asked, where it is said.
        asked: usize,
        answers: Vec<Answer>,
    },
    Evict {
        namespace: Box<str>,
        socket: SocketId,
        revision: u64,
    },
    /// A broadcast in the log of JetStream.
    Logged {
        namespace: Box<str>,
        to: Selection,
        /// For the sockets of the server that sent it only.
        local: bool,
        event: Data,
    },
}

/// A question of another server.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) id: u64,
    pub(crate) namespace: Box<str>,
    pub(crate) to: Selection,
    pub(crate) what: What,
    /// How long it waits.
    pub(crate) time: Duration,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum What {
    Acks(Data),
    Sockets,
    Count,
    Rooms,
    Servers(Data),
}

/// The kinds of messages, as numbers.
mod kind {
    pub(super) const HELLO: u64 = 0;
    pub(super) const ALIVE: u64 = 1;
    pub(super) const BYE: u64 = 2;
    pub(super) const BROADCAST: u64 = 3;
    pub(super) const COMMAND: u64 = 4;
    pub(super) const TELL: u64 = 5;
    pub(super) const ASK: u64 = 6;
    pub(super) const ANSWERS: u64 = 7;
    pub(super) const EVICT: u64 = 8;
    pub(super) const LOGGED: u64 = 9;
}

/// The ceilings for events of other servers: the length of the message is the only one. What a server emits is not bound to what
/// its clients may send.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_attachments = usize::MAX;
    limits.max_pending_bytes = usize::MAX;
    limits.max_args = usize::MAX;
    limits.max_depth = usize::MAX;
    limits.max_event_name = usize::MAX;
    limits
}
