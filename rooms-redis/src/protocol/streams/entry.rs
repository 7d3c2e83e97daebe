//! Entries: `uid`, `nsp`, `type`, and `data` as JSON or as msgpack in base64.

use super::super::{
    Malformed, Text,
    cluster::{self, Written},
};
use crate::message::Envelope;
use base64::{Engine, prelude::BASE64_STANDARD};
use rooms_layer::wire::{Limits, msgpack::WriteError};

/// Ours: a broadcast for the sockets of the server that sent it, and for whoever of them comes back elsewhere. Node's servers
/// take no notice of it.
const LOCAL_BROADCAST: u64 = 103;

/// An entry that was read.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) envelope: Envelope,
    /// It is of [that type](LOCAL_BROADCAST).
    pub(crate) is_local: bool,
}

/// Writes the fields of an entry, names and values in turn.
pub(crate) fn write_entry(
    uid: &str,
    namespace: &str,
    written: Written,
    is_local: bool,
) -> Result<Vec<(&'static str, String)>, WriteError> {
    let kind = if is_local {
        LOCAL_BROADCAST
    } else {
        written.kind
    };
    let data = match written.attachments.is_empty() {
        true => written.data,
        false => {
            let data = Text::write_msgpack(&written.data, &written.attachments)?;
            BASE64_STANDARD.encode(data)
        }
    };
    Ok(vec![
        ("uid", uid.to_owned()),
        ("nsp", namespace.to_owned()),
        ("type", kind.to_string()),
        ("data", data),
    ])
}

/// Reads the fields of an entry; `None` if it is none of ours, for it has no namespace.
pub(crate) fn read_entry<'a>(
    fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    limits: &Limits,
) -> Result<Option<Entry>, Malformed> {
    let (mut uid, mut nsp, mut kind, mut data) = (None, None, None, "{}");
    for (name, value) in fields {
        if value.len() > limits.max_payload {
            return Err(Malformed::TooLong);
        }
        let value = std::str::from_utf8(value)?;
        match name {
            b"uid" => uid = Some(value),
            b"nsp" => nsp = Some(value),
            b"type" => kind = Some(value.parse().map_err(|_| Malformed::Lacks(0, "type"))?),
            b"data" => data = value,
            _ => {}
        }
    }
    let Some(nsp) = nsp else {
        return Ok(None);
    };
    let kind: u64 = kind.ok_or(Malformed::Lacks(0, "type"))?;
    let text = match data.starts_with('{') {
        true => Text {
            json: data.to_owned(),
            attachments: Vec::new(),
        },
        false => {
            let data = BASE64_STANDARD
                .decode(data)
                .map_err(|_| Malformed::Base64)?;
            Text::read_msgpack(&data, limits)?
        }
    };
    let is_local = kind == LOCAL_BROADCAST;
    let kind = if is_local { cluster::BROADCAST } else { kind };
    let message = cluster::read_data(kind, &text.json, text.attachments, limits)?;
    Ok(Some(Entry {
        envelope: Envelope {
            from: uid.map(Into::into),
            namespace: Some(nsp.into()),
            message,
        },
        is_local,
    }))
}
