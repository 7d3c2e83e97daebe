//! Broadcasts: msgpack of `[uid, packet, opts]`.

use super::kind;
use crate::{
    message::{Envelope, Message},
    protocol::{Malformed, parts::Opts},
};
use bytes::Bytes;
use rooms_layer::{
    rooms::{Selection, adapter::Broadcast},
    wire::{
        Limits,
        msgpack::{self, Reader, Token, WriteError, Writer},
    },
};

/// Writes a broadcast.
pub(crate) fn write_broadcast(
    uid: &str,
    namespace: &str,
    to: &Selection,
    broadcast: &Broadcast,
) -> Result<Vec<u8>, WriteError> {
    let opts = Opts::of_broadcast(to, broadcast);
    let opts = serde_json::to_string(&opts).expect("names and flags are JSON");
    let mut writer = Writer::new();
    writer.array(3);
    writer.str(uid);
    writer.map(3);
    writer.str("type");
    writer.int(2);
    writer.str("data");
    msgpack::encode_data(&broadcast.data, &mut writer)?;
    writer.str("nsp");
    writer.str(namespace);
    msgpack::encode_value(&opts, &[] as &[Bytes], &mut writer)?;
    Ok(writer.into_bytes())
}

/// Whether a broadcast is of this server. It begins with that, so that the rest need not be read.
pub(crate) fn is_of(payload: &[u8], uid: &str) -> bool {
    let mut reader = Reader::new(payload);
    reader.array().is_ok() && reader.str().is_ok_and(|from| from == uid)
}

/// Reads a broadcast.
pub(crate) fn read_broadcast(payload: &[u8], limits: &Limits) -> Result<Envelope, Malformed> {
    let lacks = |what| Malformed::Lacks(kind::BROADCAST, what);
    let mut reader = Reader::new(payload);
    if reader.array()? < 3 {
        return Err(lacks("opts"));
    }
    let from = reader.str()?.into();
    let (mut event, mut namespace) = (None, None);
    for _ in 0..reader.map()? {
        match reader.str()? {
            "data" => event = Some(msgpack::decode_event(&mut reader, limits)?),
            "nsp" => namespace = text_or_nil(&mut reader)?,
            _ => reader.skip()?,
        }
    }
    let opts = msgpack::decode_value(&mut reader, limits)?;
    let opts: Opts = serde_json::from_str(&opts.text)?;
    let broadcast = Broadcast::new(event.ok_or(lacks("data"))?).volatile(opts.volatile());
    Ok(Envelope {
        from: Some(from),
        // What old servers leave out is the main namespace.
        namespace: Some(namespace.unwrap_or("/").into()),
        message: Message::Broadcast {
            to: opts.selection(),
            broadcast,
        },
    })
}

fn text_or_nil<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a str>, Malformed> {
    match reader.token()? {
        Token::Str(text) => Ok(Some(text)),
        Token::Nil => Ok(None),
        _ => Err(Malformed::Lacks(kind::BROADCAST, "nsp")),
    }
}
