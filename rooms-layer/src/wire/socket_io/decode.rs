//! From Engine.IO messages to packets.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{Kind, Packet, PacketError, RESERVED_EVENTS, msgpack, packet::EventName};
use crate::wire::{
    Args, Format, Limits,
    args::{Elements, scan_array, scan_value, without_lone_surrogates},
};

/// Which formats clients may speak; Socket.IO calls what reads and writes them parsers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parsers {
    /// Text, with attachments in binary messages of their own: what clients speak unless they are told otherwise. The default.
    #[default]
    Json,
    /// Clients with `socket.io-msgpack-parser` alone, as on a Node server that has it.
    Msgpack,
    /// Either, side by side: a client's first packet settles what its connection speaks.
    Both,
}

/// Reads a peer's packets, and joins those that have attachments with the binary messages that follow them.
///
/// It holds memory only while attachments are missing.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Option<Box<Pending>>,
    peer_is_server: bool,
    /// `Both` until the first packet.
    parsers: Parsers,
}

/// A packet whose attachments are still to come.
#[derive(Debug)]
struct Pending {
    scanned: Scanned,
    missing: usize,
    attachments: Vec<Bytes>,
    /// The length of the attachments so far.
    bytes: usize,
}

/// A packet's text, checked, with all that was found in it.
#[derive(Debug)]
struct Scanned {
    text: Box<str>,
    prefix: Prefix,
    event: EventName,
    elements: Elements,
}

/// What stands in front of a packet's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) kind: Kind,
    attachments: usize,
    pub(super) namespace: Range<usize>,
    pub(super) id: Option<u64>,
    /// Where the payload begins.
    pub(super) end: usize,
}

impl Decoder {
    /// Creates a decoder for what a client sends in JSON.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a decoder for what a client sends in one of these formats.
    pub fn with_parsers(parsers: Parsers) -> Self {
        Self {
            parsers,
            ..Self::default()
        }
    }

    /// Creates a decoder for what a server sends: it lets connect errors pass, which clients must not send.
    pub fn for_client() -> Self {
        Self {
            peer_is_server: true,
            ..Self::default()
        }
    }

    /// What the peer speaks. JSON as long as it has said nothing.
    pub fn format(&self) -> Format {
        match self.parsers {
            Parsers::Json | Parsers::Both => Format::Json,
            Parsers::Msgpack => Format::Msgpack,
        }
    }

    /// Reads the content of a text message, and yields its packet unless attachments must follow.
    ///
    /// # Errors
    ///
    /// Fails if the peer broke the protocol or a ceiling; the connection is to be closed.
    pub fn text(&mut self, text: &str, limits: &Limits) -> Result<Option<Packet>, PacketError> {
        match self.parsers {
            Parsers::Json => {}
            Parsers::Both => self.parsers = Parsers::Json,
            Parsers::Msgpack => return Err(PacketError::ExpectedMsgpack),
        }
        if self.pending.take().is_some() {
            return Err(PacketError::ExpectedAttachment);
        }
        let prefix = Prefix::parse(text, limits)?;
        if prefix.kind == Kind::ConnectError && !self.peer_is_server {
            return Err(PacketError::ServerOnly);
        }
        let missing = prefix.attachments;
        let scanned = Scanned::new(text, prefix, limits)?;
        if missing == 0 {
            return scanned.assemble(Vec::new()).map(Some);
        }
        let pending = Pending {
            scanned,
            missing,
            attachments: Vec::new(),
            bytes: 0,
        };
        self.pending = Some(Box::new(pending));
        Ok(None)
    }

    /// Takes a binary message as an attachment, and yields the packet that it completes. In msgpack it is a packet of its own.
    ///
    /// # Errors
    ///
    /// Fails if no attachment was due, or if the packet is not valid with its attachments; in msgpack, if the peer broke the
    /// protocol or a ceiling. The connection is to be closed.
    pub fn binary(&mut self, data: &[u8], limits: &Limits) -> Result<Option<Packet>, PacketError> {
        if self.parsers != Parsers::Json {
            self.parsers = Parsers::Msgpack;
            return msgpack::decode(data, self.peer_is_server, limits).map(Some);
        }
        let Some(mut pending) = self.pending.take() else {
            return Err(PacketError::UnexpectedAttachment);
        };
        pending.bytes = pending.bytes.saturating_add(data.len());
        if pending.bytes > limits.max_pending_bytes {
            return Err(PacketError::AttachmentsTooLong {
                limit: limits.max_pending_bytes,
            });
        }
        pending.attachments.push(Bytes::copy_from_slice(data));
        pending.missing -= 1;
        if pending.missing == 0 {
            let Pending {
                scanned,
                attachments,
                ..
            } = *pending;
            return scanned.assemble(attachments).map(Some);
        }
        self.pending = Some(pending);
        Ok(None)
    }

    /// The memory held for a packet whose attachments are still to come, in bytes.
    pub fn pending_bytes(&self) -> usize {
        self.pending
            .as_ref()
            .map_or(0, |pending| pending.scanned.text.len() + pending.bytes)
    }
}

impl Scanned {
    /// Checks the payload and copies the text.
    fn new(text: &str, prefix: Prefix, limits: &Limits) -> Result<Self, PacketError> {
        let (head, payload) = text.split_at(prefix.end);
        let text: Box<str> = match without_lone_surrogates(payload) {
            Cow::Borrowed(_) => text.into(),
            Cow::Owned(payload) => [head, &payload].concat().into(),
        };
        let mut event = EventName::InText(0..0);
        let first = text[prefix.end..].bytes().next();
        let elements = match (prefix.kind, first) {
            (Kind::Connect | Kind::ConnectError, Some(b'{')) => {
                Elements::from_iter([scan_value(&text, prefix.end, limits)?])
            }
            (Kind::ConnectError, None) => return Err(PacketError::InvalidPayload),
            (Kind::Event, Some(b'[')) => {
                let mut elements = scan_array(&text, prefix.end, true, limits)?;
                if elements.is_empty() {
                    return Err(PacketError::InvalidEventName);
                }
                event = event_name(&text, elements.remove(0), limits)?;
                elements
            }
            (Kind::Ack, Some(b'[')) => scan_array(&text, prefix.end, false, limits)?,
            (_, None) => Elements::new(),
            _ => return Err(PacketError::InvalidPayload),
        };
        Ok(Self {
            text,
            prefix,
            event,
            elements,
        })
    }

    fn assemble(self, attachments: Vec<Bytes>) -> Result<Packet, PacketError> {
        let Self {
            text,
            prefix,
            event,
            elements,
        } = self;
        let args = Args::assemble(text, elements, attachments)?;
        Ok(Packet {
            kind: prefix.kind,
            namespace: prefix.namespace,
            id: prefix.id,
            event,
            args,
        })
    }
}

/// Reads an event's name from where the first element of the payload lies.
pub(super) fn event_name(
    text: &str,
    range: Range<usize>,
    limits: &Limits,
) -> Result<EventName, PacketError> {
    let raw = &text[range.clone()];
    let name = match raw.as_bytes() {
        [b'"', content @ .., b'"'] if memchr::memchr(b'\\', content).is_some() => {
            let name: String =
                serde_json::from_str(raw).map_err(|_| PacketError::InvalidEventName)?;
            EventName::Unescaped(name.into())
        }
        [b'"', .., b'"'] => EventName::InText(range.start + 1..range.end - 1),
        [b'-' | b'0'..=b'9', ..] => EventName::InText(range),
        _ => return Err(PacketError::InvalidEventName),
    };
    let written = match &name {
        EventName::InText(range) => &text[range.clone()],
        EventName::Unescaped(name) => name,
    };
    if written.len() > limits.max_event_name {
        return Err(PacketError::EventNameTooLong {
            limit: limits.max_event_name,
        });
    }
    if RESERVED_EVENTS.contains(&written) {
        return Err(PacketError::ReservedEventName);
    }
    Ok(name)
}

impl Prefix {
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, PacketError> {
        let bytes = text.as_bytes();
        let (kind, is_binary) = match bytes.first() {
            None => return Err(PacketError::Empty),
            Some(b'0') => (Kind::Connect, false),
            Some(b'1') => (Kind::Disconnect, false),
            Some(b'2') => (Kind::Event, false),
            Some(b'3') => (Kind::Ack, false),
            Some(b'4') => (Kind::ConnectError, false),
            Some(b'5') => (Kind::Event, true),
            Some(b'6') => (Kind::Ack, true),
            Some(_) => return Err(PacketError::UnknownType),
        };
        let mut at = 1;

        let mut attachments = 0;
        if is_binary {
            let count = digits(text, at);
            if count.is_empty() || bytes.get(at + count.len()) != Some(&b'-') {
                return Err(PacketError::IllegalAttachments);
            }
            at += count.len() + 1;
            attachments = count
                .parse()
                .ok()
                .filter(|count| *count <= limits.max_attachments)
                .ok_or(PacketError::TooManyAttachments {
                    limit: limits.max_attachments,
                })?;
            if attachments == 0 {
                return Err(PacketError::IllegalAttachments);
            }
        }

        let mut namespace = 0..0;
        if bytes.get(at) == Some(&b'/') {
            let length = memchr::memchr(b',', &bytes[at..]);
            namespace = at..length.map_or(bytes.len(), |length| at + length);
            at = bytes.len().min(namespace.end + 1);
        }

        let id = digits(text, at);
        at += id.len();
        let id = match id {
            "" => None,
            id => Some(id.parse().map_err(|_| PacketError::IdTooLarge)?),
        };
        Ok(Self {
            kind,
            attachments,
            namespace,
            id,
            end: at,
        })
    }
}

/// The run of decimal digits at `start`, which may be empty.
fn digits(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    let end = rest
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    &rest[..end]
}
