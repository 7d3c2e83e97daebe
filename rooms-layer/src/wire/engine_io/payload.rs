//! The bodies of long-polling: packets, one after the other, in one of four forms.

mod jsonp;
mod v3;
mod v4;

use super::{EngineIoError, Packet, Revision};
use crate::wire::websocket::{Unframe, Unframed};
use bytes::Bytes;

pub use v4::{packet_count, push_packet, push_packets, split_packet};

const TEXT: &str = "text/plain; charset=UTF-8";
const BYTES: &str = "application/octet-stream";
const SCRIPT: &str = "text/javascript; charset=UTF-8";

/// How the bodies of a session that polls are written, which its handshake settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// Revision 4: text, with the byte 0x1e between two packets and binary as base64.
    V4,
    /// Revision 3: each packet behind its length. A body is text, unless one of its packets is binary.
    V3,
    /// Revision 3 for clients that read text alone (`b64` in the query): binary is base64.
    V3Text,
    /// Revision 3 for pages that a script tag polls for (`j` in the query): that text, in a call of the page's function of this
    /// number.
    V3Jsonp(u16),
}

/// The body of a response, with packets in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// What is sent.
    pub bytes: Bytes,
}

impl From<Revision> for Form {
    fn from(revision: Revision) -> Self {
        match revision {
            Revision::V3 => Self::V3,
            Revision::V4 => Self::V4,
        }
    }
}

impl Form {
    /// The revision of the protocol that the packets are of.
    pub fn revision(self) -> Revision {
        match self {
            Self::V4 => Revision::V4,
            Self::V3 | Self::V3Text | Self::V3Jsonp(_) => Revision::V3,
        }
    }

    /// Whether a POST may be bytes, stated to be `application/octet-stream`.
    pub fn takes_bytes(self) -> bool {
        matches!(self, Self::V3 | Self::V3Text)
    }

    /// Writes packets of ours, framed for WebSocket as this revision has them, and behind them one packet of text. Control
    /// frames of WebSocket are passed over.
    ///
    /// # Panics
    ///
    /// Panics if a text frame is not UTF-8 or, in revision 3, a binary one has no type, which those of this crate never are.
    pub fn body<'a, I>(self, frames: I, last: Option<&'a str>) -> Body
    where
        I: IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    {
        let last = last.map(|packet| Unframed {
            is_text: true,
            payload: packet.as_bytes(),
        });
        let messages = frames.into_iter().flat_map(Unframe::new).chain(last);
        let (content_type, body) = match self {
            Self::V4 => (TEXT, v4::text(messages).into_bytes()),
            Self::V3 if messages.clone().any(|message| !message.is_text) => {
                (BYTES, v3::bytes(messages))
            }
            Self::V3 | Self::V3Text => (TEXT, v3::text(messages).into_bytes()),
            Self::V3Jsonp(index) => {
                let call = jsonp::call(index, &v3::text(messages));
                (SCRIPT, call.into_bytes())
            }
        };
        Body {
            content_type,
            bytes: body.into(),
        }
    }
}

/// The packets of a POST, read one after the other.
///
/// Reading takes no memory beyond the body itself and the packet that is being read.
#[derive(Debug)]
pub struct Payload {
    body: Vec<u8>,
    /// Where the next packet begins; `None` at the end.
    next: Option<usize>,
    written: Written,
}

/// How the packets of a POST are told from each other.
#[derive(Clone, Copy, Debug)]
enum Written {
    Separated,
    LengthsInText,
    LengthsInBytes,
}

/// A packet in a body, and what follows if it is not the last.
struct Split<'a> {
    packet: RawPacket<'a>,
    rest: Option<&'a [u8]>,
}

enum RawPacket<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

impl Payload {
    /// Takes the body of a POST. `is_bytes` tells that it is stated to be `application/octet-stream`, for the forms that
    /// [take it](Form::takes_bytes).
    pub fn new(form: Form, body: Vec<u8>, is_bytes: bool) -> Self {
        let (body, written) = match form {
            Form::V4 => (body, Written::Separated),
            Form::V3 | Form::V3Text if is_bytes => (body, Written::LengthsInBytes),
            Form::V3 | Form::V3Text => (body, Written::LengthsInText),
            Form::V3Jsonp(_) => (jsonp::read(&body), Written::LengthsInText),
        };
        Self {
            body,
            next: Some(0),
            written,
        }
    }

    /// How many packets there are, the empty ones counted, up to the first that can't be told from what follows.
    pub fn count(&self) -> usize {
        if let Written::Separated = self.written {
            return packet_count(&self.body);
        }
        let (mut count, mut rest) = (0, Some(&self.body[..]));
        while let Some(Ok(split)) = rest.and_then(|rest| self.written.split(rest)) {
            count += 1;
            rest = split.rest;
        }
        count
    }

    /// Whether everything is read.
    pub fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// Reads the next packet. Nothing follows an error that leaves open where the next one begins.
    ///
    /// # Errors
    ///
    /// Fails if the peer broke the protocol; the session is to be closed.
    pub fn next_packet(&mut self) -> Option<Result<Packet<'_>, EngineIoError>> {
        loop {
            let rest = &self.body[self.next.take()?..];
            let split = match self.written.split(rest)? {
                Ok(split) => split,
                Err(error) => return Some(Err(error)),
            };
            self.next = split.rest.map(|rest| self.body.len() - rest.len());
            return Some(match (self.written, split.packet) {
                // As in Node, where an empty payload is `0:`.
                (Written::LengthsInText, RawPacket::Text(b"")) => continue,
                (Written::Separated, packet) => packet.decode(Revision::V4),
                (_, packet) => packet.decode(Revision::V3),
            });
        }
    }
}

impl Written {
    /// Splits the first packet off a body; `None` if there is none.
    fn split(self, body: &[u8]) -> Option<Result<Split<'_>, EngineIoError>> {
        match self {
            Self::Separated => {
                let (packet, rest) = split_packet(body);
                let packet = RawPacket::Text(packet);
                Some(Ok(Split { packet, rest }))
            }
            Self::LengthsInText => Some(v3::split_text(body)),
            // Packets of no bytes at all are no packets.
            Self::LengthsInBytes => (!body.is_empty()).then(|| v3::split_bytes(body)),
        }
    }
}

impl<'a> RawPacket<'a> {
    fn decode(self, revision: Revision) -> Result<Packet<'a>, EngineIoError> {
        match self {
            Self::Text(text) => {
                let text = str::from_utf8(text).map_err(|_| EngineIoError::Utf8)?;
                revision.decode(text)
            }
            Self::Binary(data) => {
                let data = revision.decode_binary(data)?;
                Ok(Packet::Binary(data.to_vec()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
