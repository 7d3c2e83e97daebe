use crate::wire::{engine_io, websocket};
use bytes::Bytes;

/// What travels: text or bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text. To and from a client that polls, one with the character U+001E in it arrives in pieces: the protocol parts messages by it
    /// and has no escape. Send such a text as bytes.
    Text(String),
    /// Bytes. To a client that polls they travel as base64.
    Binary(Bytes),
}

impl Message {
    /// Frames the message as mailboxes hold it.
    pub(super) fn frame(&self) -> Bytes {
        match self {
            Self::Text(text) => engine_io::message_frame(text),
            Self::Binary(data) => websocket::binary_frame(data),
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(data: Bytes) -> Self {
        Self::Binary(data)
    }
}

impl From<Vec<u8>> for Message {
    fn from(data: Vec<u8>) -> Self {
        Self::Binary(data.into())
    }
}
