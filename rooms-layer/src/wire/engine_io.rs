//! Engine.IO packets, as they travel in WebSocket messages or long-polling bodies.
//!
//! What is said of a packet holds for revision 4 of the protocol. Revision 3, which clients of Socket.IO 1 and 2 speak, differs in
//! its bodies ([`Form`]), in its binary messages ([`v3`]), and in that it is the client that pings.

mod payload;
pub mod v3;

use std::borrow::Cow;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use bytes::Bytes;
use serde::Serialize;

use crate::wire::websocket::{self, MAX_HEADER, Opcode, text_frame};

pub use payload::{Body, Form, Payload, packet_count, push_packet, push_packets, split_packet};

/// The ping that a server sends, framed for WebSocket.
pub static PING_FRAME: Bytes = Bytes::from_static(b"\x81\x012");
/// The answer to the probe of a client that changes to WebSocket, framed.
pub static PROBE_PONG_FRAME: Bytes = Bytes::from_static(b"\x81\x063probe");
/// The packet that ends a waiting long-polling request, framed like all others.
pub static NOOP_FRAME: Bytes = Bytes::from_static(b"\x81\x016");
/// The packet that ends a session, framed.
pub static CLOSE_FRAME: Bytes = Bytes::from_static(b"\x81\x011");

/// Room for the packet that opens a session, unless the application's ids are long.
const LIKELY_OPEN: usize = 160;

/// What JavaScript's decoders let pass: padding or none, and stray bits at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Tells how a peer broke the Engine.IO protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineIoError {
    /// The message has no packet in it.
    #[error("peer sent an empty message")]
    Empty,
    /// The packet's type is none of the protocol's.
    #[error("peer sent a message of unknown type")]
    UnknownType,
    /// A binary packet in a text message is not base64.
    #[error("peer sent a binary message that is not base64")]
    Base64,
    /// A packet of a long-polling body is text, and not UTF-8.
    #[error("peer sent a packet that is not UTF-8")]
    Utf8,
    /// The length in front of a packet is none, or not that of what follows.
    #[error("peer sent a packet without its length")]
    Length,
}

/// A revision of the protocol (`EIO` in the query of requests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// That of clients of Socket.IO 1 and 2.
    V3,
    /// That of clients since Socket.IO 3.
    V4,
}

impl Revision {
    /// Reads the packet of a text message.
    ///
    /// # Errors
    ///
    /// Fails if the peer broke the protocol; the session is to be closed.
    pub fn decode(self, text: &str) -> Result<Packet<'_>, EngineIoError> {
        match self {
            Self::V3 => v3::decode(text),
            Self::V4 => Packet::decode(text),
        }
    }

    /// Reads what a binary message carries.
    ///
    /// # Errors
    ///
    /// Fails if the peer broke the protocol; the session is to be closed.
    pub fn decode_binary(self, message: &[u8]) -> Result<&[u8], EngineIoError> {
        match self {
            Self::V3 => v3::decode_binary(message),
            Self::V4 => Ok(message),
        }
    }
}

/// A packet of a text message. A binary message on WebSocket has no type and is [`Binary`](Self::Binary) as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the handshake of the session, from the server.
    Open(&'a str),
    /// `1`: the end of the session.
    Close,
    /// `2`: a heartbeat of the server, or the `probe` of a client that changes its transport.
    Ping(&'a str),
    /// `3`: the answer to a heartbeat or probe.
    Pong(&'a str),
    /// `4`: a Socket.IO packet.
    Message(&'a str),
    /// `5`: the client has changed its transport.
    Upgrade,
    /// `6`: nothing.
    Noop,
    /// `b`: an attachment of a Socket.IO packet, which comes as base64 where the transport is text.
    Binary(Vec<u8>),
}

impl<'a> Packet<'a> {
    /// Reads the packet of a text message. What follows the type of a packet that has no content is ignored.
    ///
    /// # Errors
    ///
    /// Fails if the peer broke the protocol; the session is to be closed.
    pub fn decode(text: &'a str) -> Result<Self, EngineIoError> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(EngineIoError::Empty)?;
        let content = rest.as_str();
        Ok(match kind {
            '0' => Self::Open(content),
            '1' => Self::Close,
            '2' => Self::Ping(content),
            '3' => Self::Pong(content),
            '4' => Self::Message(content),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            'b' => Self::Binary(decode_base64(content)?),
            _ => return Err(EngineIoError::UnknownType),
        })
    }
}

/// Reads base64 in the standard or the URL-safe alphabet, as Node does.
fn decode_base64(text: &str) -> Result<Vec<u8>, EngineIoError> {
    let standard = match memchr::memchr2(b'-', b'_', text.as_bytes()) {
        Some(_) => Cow::Owned(text.replace('-', "+").replace('_', "/")),
        None => Cow::Borrowed(text),
    };
    LENIENT
        .decode(standard.as_bytes())
        .map_err(|_| EngineIoError::Base64)
}

/// Frames a text message for WebSocket.
pub fn message_frame(text: &str) -> Bytes {
    let header = websocket::header(Opcode::Text, text.len() + 1);
    let mut frame = Vec::with_capacity(MAX_HEADER + 1 + text.len());
    frame.extend_from_slice(header.as_ref());
    frame.push(b'4');
    frame.extend_from_slice(text.as_bytes());
    frame.into()
}

/// Appends a binary packet in its text form, `b` and base64, to `out`.
pub fn push_base64(out: &mut String, data: &[u8]) {
    out.push('b');
    STANDARD.encode_string(data, out);
}

/// The packet that opens a session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPacket<'a> {
    /// The id of the session, which is a secret of the client.
    pub sid: &'a str,
    /// The transports that the client may change to.
    pub upgrades: &'a [&'a str],
    /// The time between two heartbeats, in milliseconds.
    pub ping_interval: u64,
    /// The time that the client has to answer a heartbeat, in milliseconds.
    pub ping_timeout: u64,
    /// The longest message that the server takes, in bytes.
    pub max_payload: usize,
}

impl OpenPacket<'_> {
    /// Writes the packet as text, as a long-polling body carries it.
    pub fn text(&self) -> String {
        let mut text = Vec::with_capacity(LIKELY_OPEN);
        text.push(b'0');
        serde_json::to_writer(&mut text, self).expect("strings and numbers are always JSON");
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    /// Writes the packet framed for WebSocket.
    pub fn frame(&self) -> Bytes {
        text_frame(&self.text())
    }
}

#[cfg(test)]
mod tests;
