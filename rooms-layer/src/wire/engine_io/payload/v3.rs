//! The bodies of revision 3: each packet behind its length.

use super::{RawPacket, Split};
use crate::wire::{
    data::push_decimal,
    engine_io::{EngineIoError, v3::push_base64},
    websocket::Unframed,
};

/// Longer lengths are those of no body.
const MAX_DIGITS: usize = 20;

/// Writes `<length>:<packet>` for each packet, with lengths in UTF-16 units, which are those of JavaScript's strings.
pub(super) fn text<'a>(messages: impl Iterator<Item = Unframed<'a>>) -> String {
    let mut body = String::new();
    let mut base64 = String::new();
    for Unframed { is_text, payload } in messages {
        let packet = if is_text {
            str::from_utf8(payload).expect("our text frames are text")
        } else {
            base64.clear();
            push_base64(&mut base64, payload);
            &base64
        };
        let length = packet.chars().map(char::len_utf16).sum::<usize>();
        body.push_str(&length.to_string());
        body.push(':');
        body.push_str(packet);
    }
    body
}

/// Writes for each packet 0 for text or 1 for binary, the digits of its length in bytes as bytes, 0xff, and the packet.
pub(super) fn bytes<'a>(messages: impl Iterator<Item = Unframed<'a>>) -> Vec<u8> {
    let mut body = Vec::new();
    for Unframed { is_text, payload } in messages {
        body.push(u8::from(!is_text));
        let digits = body.len();
        push_decimal(&mut body, payload.len() as u64);
        for digit in &mut body[digits..] {
            *digit -= b'0';
        }
        body.push(0xff);
        body.extend_from_slice(payload);
    }
    body
}

/// Splits the first packet off what [`text`] writes.
pub(super) fn split_text(body: &[u8]) -> Result<Split<'_>, EngineIoError> {
    if body.is_empty() {
        return Err(EngineIoError::Empty);
    }
    let digits = body.iter().map(|byte| byte.wrapping_sub(b'0'));
    let (length, rest) = split_length(body, digits, b':')?;
    let end = end_of_utf16(rest, length).ok_or(EngineIoError::Length)?;
    let (packet, rest) = rest.split_at(end);
    Ok(Split {
        packet: RawPacket::Text(packet),
        rest: Some(rest).filter(|rest| !rest.is_empty()),
    })
}

/// Splits the first packet off what [`bytes`] writes.
pub(super) fn split_bytes(body: &[u8]) -> Result<Split<'_>, EngineIoError> {
    let (&kind, rest) = body.split_first().ok_or(EngineIoError::Empty)?;
    let (length, rest) = split_length(rest, rest.iter().copied(), 0xff)?;
    let (packet, rest) = rest.split_at_checked(length).ok_or(EngineIoError::Length)?;
    Ok(Split {
        packet: match kind {
            0 => RawPacket::Text(packet),
            1 => RawPacket::Binary(packet),
            _ => return Err(EngineIoError::UnknownType),
        },
        rest: Some(rest).filter(|rest| !rest.is_empty()),
    })
}

/// Reads a length and the byte that ends it. `digits` are the bytes of the body as digits.
fn split_length(
    body: &[u8],
    digits: impl Iterator<Item = u8>,
    end: u8,
) -> Result<(usize, &[u8]), EngineIoError> {
    let (mut length, mut count) = (0_usize, 0);
    for digit in digits.take(MAX_DIGITS).take_while(|digit| *digit <= 9) {
        length = length.saturating_mul(10).saturating_add(digit.into());
        count += 1;
    }
    match body.get(count) {
        Some(byte) if *byte == end && count > 0 => Ok((length, &body[count + 1..])),
        _ => Err(EngineIoError::Length),
    }
}

/// Where so many UTF-16 units end; `None` if that is not at the end of a character of this text. What is not UTF-8 is somebody
/// else's to notice.
fn end_of_utf16(text: &[u8], mut units: usize) -> Option<usize> {
    let mut end = 0;
    while units > 0 {
        let (bytes, taken) = match text.get(end)? {
            0xf0.. => (4, 2),
            0xe0.. => (3, 1),
            0xc0.. => (2, 1),
            _ => (1, 1),
        };
        end += bytes;
        units = units.checked_sub(taken)?;
    }
    (end <= text.len()).then_some(end)
}
