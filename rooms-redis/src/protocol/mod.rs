//! Messages as bytes, in the forms of Node's adapters. Pure: what comes from Redis is as untrusted as what comes from clients.
//!
//! Each form is described as the JSON that it is or stands for. What is binary in it makes msgpack of the whole, which the
//! library transcodes.

pub(crate) mod classic;
pub(crate) mod cluster;
pub(crate) mod parts;
pub(crate) mod streams;
#[cfg(test)]
mod versions;

use bytes::Bytes;
use rooms_layer::wire::{
    Limits,
    msgpack::{self, ReadError, Reader, WriteError, Writer},
};

/// Why a message of another server can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error(transparent)]
    Msgpack(#[from] ReadError),
    #[error("a message is neither msgpack nor UTF-8")]
    NotText(#[from] std::str::Utf8Error),
    #[error("a message does not have the expected form: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a message has arguments that can't be read: {0}")]
    Args(#[from] rooms_layer::wire::args::ArgsError),
    #[error("a message of type {0} lacks `{1}`")]
    Lacks(u64, &'static str),
    #[error("a message has the unknown type {0}")]
    Unknown(u64),
    #[error("a message has broken base64")]
    Base64,
    #[error("a message is longer than may be")]
    TooLong,
}

/// A message that was read: JSON, with what was binary beside it.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) json: String,
    pub(crate) attachments: Vec<Bytes>,
}

impl Text {
    /// Tells JSON from msgpack as Node does: by the brace that the former begins with.
    pub(crate) fn read(payload: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        if payload.first() == Some(&b'{') {
            return Ok(Self {
                json: std::str::from_utf8(payload)?.to_owned(),
                attachments: Vec::new(),
            });
        }
        Self::read_msgpack(payload, limits)
    }

    pub(crate) fn read_msgpack(payload: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let value = msgpack::decode_value(&mut reader, limits)?;
        reader.finish()?;
        Ok(Self {
            json: value.text,
            attachments: value.attachments,
        })
    }

    /// Writes JSON, or msgpack where there is something binary.
    pub(crate) fn write(json: String, attachments: &[Bytes]) -> Result<Vec<u8>, WriteError> {
        match attachments.is_empty() {
            true => Ok(json.into_bytes()),
            false => Self::write_msgpack(&json, attachments),
        }
    }

    pub(crate) fn write_msgpack(json: &str, attachments: &[Bytes]) -> Result<Vec<u8>, WriteError> {
        let mut writer = Writer::new();
        msgpack::encode_value(json, attachments, &mut writer)?;
        Ok(writer.into_bytes())
    }
}

/// The ceilings for messages of other servers. They pass on what they have let in themselves, or made, so the ceilings for
/// clients do not hold for them; that for the length of the message does.
pub(crate) fn limits(max_message: usize) -> Limits {
    let mut limits = Limits::default();
    limits.max_payload = max_message;
    limits.max_pending_bytes = max_message;
    limits.max_attachments = 65_536;
    limits.max_args = 65_536;
    limits
}
