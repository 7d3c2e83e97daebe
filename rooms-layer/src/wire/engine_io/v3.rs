//! Packets of revision 3, where they differ from those of revision 4: a binary message carries its type, as text does.

use super::{EngineIoError, Packet, decode_base64};
use crate::wire::websocket::{MAX_HEADER, Opcode, Unframe, header, push_frame};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// The type of a binary message. There is no other binary packet.
const MESSAGE: u8 = 4;
/// The longest header of a frame, and the type.
const MAX_ADDED: usize = MAX_HEADER + 1;

/// The answer to the ping of a client, framed for WebSocket.
pub static PONG_FRAME: Bytes = Bytes::from_static(b"\x81\x013");

/// Reads the packet of a text message, like [`Packet::decode`].
///
/// # Errors
///
/// Fails if the peer broke the protocol; the session is to be closed.
pub fn decode(text: &str) -> Result<Packet<'_>, EngineIoError> {
    match text.strip_prefix('b') {
        None => Packet::decode(text),
        Some(packet) => match packet.strip_prefix('4') {
            Some(data) => decode_base64(data).map(Packet::Binary),
            None => Err(EngineIoError::UnknownType),
        },
    }
}

/// Reads the packet of a binary message, which is always a message of the floor above.
///
/// # Errors
///
/// Fails if the peer broke the protocol; the session is to be closed.
pub fn decode_binary(packet: &[u8]) -> Result<&[u8], EngineIoError> {
    match packet {
        [MESSAGE, data @ ..] => Ok(data),
        [] => Err(EngineIoError::Empty),
        _ => Err(EngineIoError::UnknownType),
    }
}

/// Appends a binary packet, its type included, in its text form.
pub(super) fn push_base64(out: &mut String, packet: &[u8]) {
    let data = decode_binary(packet).expect("our binary packets are messages");
    out.push_str("b4");
    STANDARD.encode_string(data, out);
}

/// Writes the frames of a packet of ours anew, as this revision has them. Those of a packet without attachments are the same,
/// and are not copied.
pub fn frames(frames: &Bytes) -> Bytes {
    let messages = Unframe::new(frames);
    let attachments = messages.clone().filter(|message| !message.is_text).count();
    if attachments == 0 {
        return frames.clone();
    }
    let mut out = Vec::with_capacity(frames.len() + attachments * MAX_ADDED);
    for message in messages {
        if message.is_text {
            push_frame(&mut out, Opcode::Text, message.payload);
        } else {
            let header = header(Opcode::Binary, 1 + message.payload.len());
            out.extend_from_slice(header.as_ref());
            out.push(MESSAGE);
            out.extend_from_slice(message.payload);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests;
