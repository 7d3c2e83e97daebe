//! Sessions: msgpack of `{sid, pid, rooms, data}` in base64, with what we need to know beside it.

use super::super::{Malformed, Text, parts::Names};
use base64::{Engine, prelude::BASE64_STANDARD};
use rooms_layer::wire::Limits;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// A session as it lies in Redis.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedSession {
    pub(crate) sid: Box<str>,
    pub(crate) pid: Box<str>,
    pub(crate) rooms: Names,
    /// Node's servers give it to the socket that comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Box<RawValue>>,
    /// Ours: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nsp: Option<Box<str>>,
    /// Ours: which history of the stream the ids are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<Box<str>>,
    /// Ours: what a client that has seen less has missed can't be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known_since: Option<Box<str>>,
    /// Ours: since when it is in its rooms.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub(crate) since: HashMap<Box<str>, Box<str>>,
    /// Ours: the rooms that it was in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) left: Vec<SavedStay>,
}

/// A room, and from behind which entry up to which the socket was in it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedStay {
    pub(crate) room: Box<str>,
    pub(crate) from: Box<str>,
    pub(crate) to: Box<str>,
}

pub(crate) fn write_session(session: &SavedSession) -> String {
    let json = serde_json::to_string(session).expect("a session is JSON");
    let written = Text::write_msgpack(&json, &[]);
    BASE64_STANDARD.encode(written.expect("a session is shorter than 4 GiB"))
}

pub(crate) fn read_session(saved: &[u8], limits: &Limits) -> Result<SavedSession, Malformed> {
    let saved = BASE64_STANDARD
        .decode(saved)
        .map_err(|_| Malformed::Base64)?;
    let text = Text::read_msgpack(&saved, limits)?;
    Ok(serde_json::from_str(&text.json)?)
}
