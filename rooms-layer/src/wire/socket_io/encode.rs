//! Packets of a server, framed for WebSocket.

use bytes::Bytes;
use serde::Serialize;
use smallvec::SmallVec;

use crate::wire::{
    Data, Value,
    data::push_decimal,
    websocket::{MAX_HEADER, Opcode, header, push_frame},
};

/// What stands in front of a packet's payload, with the type of the Engine.IO message.
type Prefix = SmallVec<[u8; 64]>;

/// Writes the packet of an event, which asks for an acknowledgement if it has an id.
///
/// The result is a text frame and, if there are attachments, one binary frame for each, which no other packet may
/// come between. The prefix and the header are written in front of the JSON, without copying it.
pub fn frame_event(data: Data, namespace: &str, id: Option<u64>) -> Bytes {
    debug_assert!(
        data.is_event(),
        "the arguments of an acknowledgement lack an event's name"
    );
    frame(event_prefix(&data, namespace, id), data)
}

/// Writes the packet of an event like [`frame_event`], and leaves the data to the caller, at the price of a copy.
pub fn frame_event_of(data: &Data, namespace: &str, id: Option<u64>) -> Bytes {
    debug_assert!(
        data.is_event(),
        "the arguments of an acknowledgement lack an event's name"
    );
    copy_frame(
        &event_prefix(data, namespace, id),
        data.json(),
        data.attachments(),
    )
}

/// Writes the acknowledgement of the event with the given id.
///
/// The result is a text frame and, if there are attachments, one binary frame for each, which no other packet may
/// come between. The prefix and the header are written in front of the JSON, without copying it.
pub fn frame_ack(data: Data, namespace: &str, id: u64) -> Bytes {
    debug_assert!(!data.is_event(), "an acknowledgement has no name");
    frame(ack_prefix(&data, namespace, id), data)
}

/// Writes an acknowledgement like [`frame_ack`], and leaves the data to the caller, at the price of a copy.
pub fn frame_ack_of(data: &Data, namespace: &str, id: u64) -> Bytes {
    debug_assert!(!data.is_event(), "an acknowledgement has no name");
    copy_frame(
        &ack_prefix(data, namespace, id),
        data.json(),
        data.attachments(),
    )
}

/// Writes the packet that lets a client into a namespace, with its socket id and, if connections can be recovered,
/// the private id that it has to show then.
pub fn connect_frame(namespace: &str, sid: &str, pid: Option<&str>) -> Bytes {
    #[derive(Serialize)]
    struct Reply<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }

    control_frame(b"40", namespace, &json(&Reply { sid, pid }))
}

/// Writes the packet that refuses a namespace. Byte strings in `data` have no form here and are written as arrays of
/// numbers.
pub fn connect_error_frame(namespace: &str, message: &str, data: Option<&Value>) -> Bytes {
    #[derive(Serialize)]
    struct Refuse<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a Value>,
    }

    control_frame(b"44", namespace, &json(&Refuse { message, data }))
}

/// Writes the packet that has a client leave a namespace.
pub fn disconnect_frame(namespace: &str) -> Bytes {
    control_frame(b"41", namespace, "")
}

fn json(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).expect("strings and values are always JSON")
}

pub(super) fn control_frame(types: &[u8; 2], namespace: &str, payload: &str) -> Bytes {
    let mut prefix = Prefix::from_slice(types);
    push_namespace(&mut prefix, namespace);
    copy_frame(&prefix, payload, &[])
}

fn event_prefix(data: &Data, namespace: &str, id: Option<u64>) -> Prefix {
    prefix([b"42", b"45"], data.attachments().len(), namespace, id)
}

fn ack_prefix(data: &Data, namespace: &str, id: u64) -> Prefix {
    prefix(
        [b"43", b"46"],
        data.attachments().len(),
        namespace,
        Some(id),
    )
}

/// Writes `type [ attachments "-" ] [ namespace "," ] [ id ]`, with the first of `types` for plain packets and the
/// second for those with attachments.
fn prefix(
    [plain, binary]: [&[u8; 2]; 2],
    attachments: usize,
    namespace: &str,
    id: Option<u64>,
) -> Prefix {
    let mut prefix = Prefix::new();
    if attachments == 0 {
        prefix.extend_from_slice(plain);
    } else {
        prefix.extend_from_slice(binary);
        push_decimal(&mut prefix, attachments as u64);
        prefix.push(b'-');
    }
    push_namespace(&mut prefix, namespace);
    if let Some(id) = id {
        push_decimal(&mut prefix, id);
    }
    prefix
}

fn push_namespace(prefix: &mut Prefix, namespace: &str) {
    if namespace != "/" {
        prefix.extend_from_slice(namespace.as_bytes());
        prefix.push(b',');
    }
}

/// Frames a packet in the buffer that its JSON lies in, if the headroom suffices for what comes in front.
fn frame(prefix: Prefix, data: Data) -> Bytes {
    if MAX_HEADER + prefix.len() > Data::HEADROOM {
        return copy_frame(&prefix, data.json(), data.attachments());
    }
    let (mut buffer, attachments) = data.into_parts();
    let json_len = buffer.len() - Data::HEADROOM;
    let header = header(Opcode::Text, prefix.len() + json_len);
    let header = header.as_ref();
    let prefix_start = Data::HEADROOM - prefix.len();
    let start = prefix_start - header.len();
    buffer[prefix_start..Data::HEADROOM].copy_from_slice(&prefix);
    buffer[start..prefix_start].copy_from_slice(header);

    buffer.reserve_exact(framed_len(&attachments));
    for attachment in &attachments {
        push_frame(&mut buffer, Opcode::Binary, attachment);
    }
    Bytes::from(buffer).slice(start..)
}

fn copy_frame(prefix: &[u8], json: &str, attachments: &[Bytes]) -> Bytes {
    let length = prefix.len() + json.len();
    let mut out = Vec::with_capacity(MAX_HEADER + length + framed_len(attachments));
    out.extend_from_slice(header(Opcode::Text, length).as_ref());
    out.extend_from_slice(prefix);
    out.extend_from_slice(json.as_bytes());
    for attachment in attachments {
        push_frame(&mut out, Opcode::Binary, attachment);
    }
    out.into()
}

/// The length of the attachments with the longest headers that they can have.
fn framed_len(attachments: &[Bytes]) -> usize {
    attachments
        .iter()
        .map(|attachment| MAX_HEADER + attachment.len())
        .sum()
}
