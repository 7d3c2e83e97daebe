//! Frames of a server: whole, and without a mask.

use bytes::Bytes;

use super::Opcode;

/// The longest header of a server's frame: two bytes and a 64-bit length.
pub const MAX_HEADER: usize = 10;

/// A server's frame header; its bytes are read through [`AsRef`].
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; MAX_HEADER],
    len: u8,
}

impl AsRef<[u8]> for Header {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Writes the header of an unfragmented frame with a payload of `length` bytes.
pub fn header(opcode: Opcode, length: usize) -> Header {
    let mut bytes = [0; MAX_HEADER];
    bytes[0] = 0x80 | opcode as u8;
    let len = if length <= 125 {
        bytes[1] = length as u8;
        2
    } else if let Ok(length) = u16::try_from(length) {
        bytes[1] = 126;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        4
    } else {
        bytes[1] = 127;
        bytes[2..].copy_from_slice(&(length as u64).to_be_bytes());
        10
    };
    Header { bytes, len }
}

/// Frames a text message.
pub fn text_frame(text: &str) -> Bytes {
    frame(Opcode::Text, text.as_bytes())
}

/// Frames a binary message.
pub fn binary_frame(payload: &[u8]) -> Bytes {
    frame(Opcode::Binary, payload)
}

/// Frames a ping.
///
/// # Panics
///
/// Panics if the payload is longer than the 125 bytes that a control frame can hold.
pub fn ping_frame(payload: &[u8]) -> Bytes {
    control_frame(Opcode::Ping, payload)
}

/// Frames a pong. The payload of a ping always fits.
///
/// # Panics
///
/// Panics if the payload is longer than the 125 bytes that a control frame can hold.
pub fn pong_frame(payload: &[u8]) -> Bytes {
    control_frame(Opcode::Pong, payload)
}

/// Frames the end of the connection, with a status code and a reason or without both.
///
/// A reason of more than 123 bytes is cut after the last character that fits.
pub fn close_frame(status: Option<(u16, &str)>) -> Bytes {
    let Some((code, reason)) = status else {
        return Bytes::from_static(&[0x80 | Opcode::Close as u8, 0]);
    };
    let fits = (0..=reason.len().min(123))
        .rev()
        .find(|end| reason.is_char_boundary(*end));
    let reason = &reason[..fits.unwrap_or(0)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    control_frame(Opcode::Close, &payload)
}

fn control_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    assert!(
        payload.len() <= 125,
        "a control frame holds at most 125 bytes"
    );
    frame(opcode, payload)
}

fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(MAX_HEADER + payload.len());
    push_frame(&mut frame, opcode, payload);
    frame.into()
}

/// Appends a whole frame to `out`.
pub(in crate::wire) fn push_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.extend_from_slice(header(opcode, payload.len()).as_ref());
    out.extend_from_slice(payload);
}

/// A message of ours, taken out of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unframed<'a> {
    /// Whether it is text; if not, it is binary.
    pub is_text: bool,
    /// What the frame carries.
    pub payload: &'a [u8],
}

/// Takes our own framed messages apart again, for transports that do not speak WebSocket.
///
/// Control frames are passed over. It is meant for what this module wrote: whole, unfragmented frames without a
/// mask; it ends where the bytes are anything else.
#[derive(Clone, Debug)]
pub struct Unframe<'a> {
    frames: &'a [u8],
}

impl<'a> Unframe<'a> {
    /// Creates an iterator over the messages in `frames`.
    pub fn new(frames: &'a [u8]) -> Self {
        Self { frames }
    }

    fn split_frame(&mut self) -> Option<(Opcode, &'a [u8])> {
        let (&[first, short], rest) = self.frames.split_first_chunk()?;
        let (length, rest) = match short {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.frames = rest;
        Some((Opcode::from_bits(first & 0x0F)?, payload))
    }
}

impl<'a> Iterator for Unframe<'a> {
    type Item = Unframed<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (opcode, payload) = self.split_frame()?;
            match opcode {
                Opcode::Text => {
                    return Some(Unframed {
                        is_text: true,
                        payload,
                    });
                }
                Opcode::Binary => {
                    return Some(Unframed {
                        is_text: false,
                        payload,
                    });
                }
                _ => {}
            }
        }
    }
}
