//! Messages to bytes.

use super::{VERSION, kind};
use bytes::Bytes;
use rooms_layer::{
    rooms::{
        Selection,
        adapter::{Broadcast, Command, Question},
    },
    wire::{
        Data,
        msgpack::{WriteError, Writer, encode_data},
    },
};
use std::time::Duration;

/// Who sends a message, and which of theirs it is.
#[derive(Clone, Copy)]
pub(crate) struct Header<'a> {
    pub(crate) from: &'a str,
    pub(crate) number: u64,
}

impl Header<'_> {
    fn begin(self, kind: u64, fields: u32) -> Writer {
        let mut out = Writer::new();
        out.array(4 + fields);
        out.uint(VERSION);
        out.uint(kind);
        out.str(self.from);
        out.uint(self.number);
        out
    }
}

/// A message of a kind that has no fields.
pub(crate) fn plain(header: Header<'_>, kind: Plain) -> Bytes {
    let kind = match kind {
        Plain::Hello => kind::HELLO,
        Plain::Alive => kind::ALIVE,
        Plain::Bye => kind::BYE,
    };
    end(header.begin(kind, 0))
}

/// The kinds without fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plain {
    Hello,
    Alive,
    Bye,
}

pub(crate) fn broadcast(
    header: Header<'_>,
    namespace: &str,
    to: &Selection,
    broadcast: &Broadcast,
) -> Result<Bytes, WriteError> {
    let mut out = header.begin(kind::BROADCAST, 5);
    out.str(namespace);
    selection(&mut out, to);
    out.bool(broadcast.volatile);
    encode_data(&broadcast.data, &mut out)?;
    Ok(end(out))
}

/// A broadcast for the log.
pub(crate) fn logged(
    header: Header<'_>,
    namespace: &str,
    to: &Selection,
    broadcast: &Broadcast,
) -> Result<Bytes, WriteError> {
    let mut out = header.begin(kind::LOGGED, 5);
    out.str(namespace);
    selection(&mut out, to);
    out.bool(broadcast.local);
    encode_data(&broadcast.data, &mut out)?;
    Ok(end(out))
}

pub(crate) fn command(
    header: Header<'_>,
    namespace: &str,
    to: &Selection,
    command: &Command,
) -> Option<Bytes> {
    let mut out = header.begin(kind::COMMAND, 5);
    out.str(namespace);
    selection(&mut out, to);
    match command {
        Command::Join(rooms) => {
            out.uint(0);
            names(&mut out, rooms);
        }
        Command::Leave(rooms) => {
            out.uint(1);
            names(&mut out, rooms);
        }
        Command::Disconnect { close } => {
            out.uint(2);
            out.bool(*close);
        }
        // One that this crate does not know yet.
        _ => return None,
    }
    Some(end(out))
}

pub(crate) fn tell(header: Header<'_>, namespace: &str, event: &Data) -> Result<Bytes, WriteError> {
    let mut out = header.begin(kind::TELL, 2);
    out.str(namespace);
    encode_data(event, &mut out)?;
    Ok(end(out))
}

/// A question; `None` for one that this crate does not know yet.
pub(crate) fn ask(
    header: Header<'_>,
    id: u64,
    namespace: &str,
    to: &Selection,
    question: Question<'_>,
    time: Duration,
) -> Option<Result<Bytes, WriteError>> {
    let (what, event) = match question {
        Question::Acks(event) => (0, Some(event)),
        Question::Sockets => (1, None),
        Question::Count => (2, None),
        Question::Rooms => (3, None),
        Question::Servers(event) => (4, Some(event)),
        _ => return None,
    };
    let mut out = header.begin(kind::ASK, 7);
    out.uint(id);
    out.str(namespace);
    selection(&mut out, to);
    out.uint(what);
    out.uint(time.as_millis().try_into().unwrap_or(u64::MAX));
    let written = match event {
        Some(event) => encode_data(event, &mut out),
        None => {
            out.nil();
            Ok(())
        }
    };
    Some(written.map(|()| end(out)))
}

/// Answers to one question, written one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) last: bool,
    /// How many sockets were asked, where it is to be said.
    pub(crate) asked: usize,
    pub(crate) count: u32,
    pub(crate) written: Vec<u8>,
}

pub(crate) fn answers(header: Header<'_>, id: u64, part: &Part) -> Bytes {
    let mut out = header.begin(kind::ANSWERS, 4);
    out.uint(id);
    out.bool(part.last);
    out.uint(part.asked as u64);
    out.array(part.count);
    let mut bytes = out.into_bytes();
    bytes.extend_from_slice(&part.written);
    bytes.into()
}

pub(crate) fn evict(header: Header<'_>, namespace: &str, socket: &str, revision: u64) -> Bytes {
    let mut out = header.begin(kind::EVICT, 3);
    out.str(namespace);
    out.str(socket);
    out.uint(revision);
    end(out)
}

fn end(out: Writer) -> Bytes {
    out.into_bytes().into()
}

fn selection(out: &mut Writer, to: &Selection) {
    match &to.rooms {
        Some(rooms) => names(out, rooms),
        None => out.nil(),
    }
    names(out, &to.except);
}

pub(super) fn names(out: &mut Writer, names: &[impl AsRef<str>]) {
    out.array(names.len().try_into().expect("fewer names than 4 billion"));
    for name in names {
        out.str(name.as_ref());
    }
}
