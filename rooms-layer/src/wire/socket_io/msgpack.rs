//! The packets of `socket.io-msgpack-parser`: each is one binary message, a map of `type`, `nsp`, `data` and `id`.

use bytes::Bytes;

use super::{
    Kind, Packet, PacketError,
    decode::{Prefix, event_name},
    packet::EventName,
};
use crate::wire::{
    Args, Limits,
    args::Elements,
    msgpack::{Reader, Token, Transcoder, Writer, transcode},
    websocket::{MAX_HEADER, Opcode, Unframe, header},
};

/// Reads a packet, and makes its payload what it is in the other format: JSON with attachments.
pub(super) fn decode(
    message: &[u8],
    peer_is_server: bool,
    limits: &Limits,
) -> Result<Packet, PacketError> {
    let fields = Fields::read(message)?;
    let kind = match fields.kind {
        Some(0) => Kind::Connect,
        Some(1) => Kind::Disconnect,
        Some(2) => Kind::Event,
        Some(3) => Kind::Ack,
        Some(4) if peer_is_server => Kind::ConnectError,
        Some(4) => return Err(PacketError::ServerOnly),
        Some(_) => return Err(PacketError::UnknownType),
        None => return Err(PacketError::Incomplete),
    };
    let namespace = fields.namespace.ok_or(PacketError::Incomplete)?;
    if !namespace.starts_with('/') || namespace.contains(',') {
        return Err(PacketError::InvalidNamespace);
    }

    let mut transcoder = Transcoder::new(namespace.into(), limits);
    let mut data = fields.data.unwrap_or(Reader::new(NIL));
    let mut elements = match (kind, data.clone().token()?) {
        (Kind::Connect | Kind::Disconnect, Token::Nil) => Elements::new(),
        (Kind::Connect | Kind::ConnectError, Token::Map(_)) => {
            Elements::from_iter([transcoder.element(&mut data)?])
        }
        (Kind::Event, Token::Array(_)) => transcoder.array(&mut data, true)?,
        (Kind::Ack, Token::Array(_)) => transcoder.array(&mut data, false)?,
        _ => return Err(PacketError::InvalidPayload),
    };
    let (text, attachments) = transcoder.into_parts();
    let event = match kind {
        Kind::Event if elements.is_empty() => return Err(PacketError::InvalidEventName),
        Kind::Event => event_name(&text, elements.remove(0), limits)?,
        _ => EventName::InText(0..0),
    };
    Ok(Packet {
        kind,
        namespace: 0..namespace.len(),
        id: fields.id,
        event,
        args: Args::assemble(text.into(), elements, attachments)?,
    })
}

/// What a field holds that is not there: an absent one, `null` and notepack's `undefined` are the same.
const NIL: &[u8] = &[0xc0];

/// The fields of a packet, found and not yet read.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<u64>,
    namespace: Option<&'a str>,
    id: Option<u64>,
    data: Option<Reader<'a>>,
}

impl<'a> Fields<'a> {
    /// Finds the fields, in any order. Others are passed over: the official client sends `options`.
    fn read(message: &'a [u8]) -> Result<Self, PacketError> {
        let mut fields = Self::default();
        let mut reader = Reader::new(message);
        for _ in 0..reader.map()? {
            match reader.str()? {
                "type" => fields.kind = Some(reader.uint()?),
                "nsp" => fields.namespace = Some(reader.str()?),
                "id" if reader.clone().token()? == Token::Nil => reader.skip()?,
                "id" => fields.id = Some(reader.uint()?),
                "data" => {
                    fields.data = Some(reader.clone());
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(fields)
    }
}

/// Makes the frame of a packet of its frames in JSON; `None` if it is too long for msgpack.
pub(in crate::wire) fn msgpack_frame(json: &[u8]) -> Option<Bytes> {
    let mut messages = Unframe::new(json);
    let text = str::from_utf8(messages.next()?.payload).ok()?;
    let attachments: Vec<&[u8]> = messages.map(|message| message.payload).collect();
    let packet = text.strip_prefix('4')?;
    let any_number = Limits {
        max_attachments: usize::MAX,
        ..Limits::default()
    };
    let prefix = Prefix::parse(packet, &any_number).ok()?;
    let payload = &packet[prefix.end..];

    let mut frame = Vec::with_capacity(MAX_HEADER + 32 + json.len());
    frame.resize(MAX_HEADER, 0);
    let mut out = Writer::append_to(frame);
    out.map(2 + u32::from(!payload.is_empty()) + u32::from(prefix.id.is_some()));
    out.str("type");
    out.uint(match prefix.kind {
        Kind::Connect => 0,
        Kind::Disconnect => 1,
        Kind::Event => 2,
        Kind::Ack => 3,
        Kind::ConnectError => 4,
    });
    out.str("nsp");
    out.str(match &packet[prefix.namespace] {
        "" => "/",
        namespace => namespace,
    });
    if !payload.is_empty() {
        out.str("data");
        transcode(payload, &attachments, &mut out).ok()?;
    }
    if let Some(id) = prefix.id {
        out.str("id");
        out.uint(id);
    }

    let mut frame = out.into_bytes();
    let header = header(Opcode::Binary, frame.len() - MAX_HEADER);
    let start = MAX_HEADER - header.as_ref().len();
    frame[start..MAX_HEADER].copy_from_slice(header.as_ref());
    Some(Bytes::from(frame).slice(start..))
}

#[cfg(test)]
mod tests;
