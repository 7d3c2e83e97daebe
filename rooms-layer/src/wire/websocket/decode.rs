//! Frames of a client, from whatever pieces the socket gives.

use super::{Opcode, WebSocketError, mask::unmask, utf8::PartialText};
use crate::wire::Limits;

/// A client's longest header: two bytes, a 64-bit length, the mask.
const MAX_CLIENT_HEADER: usize = 14;

/// The longest payload of a control frame (RFC 6455, section 5.5).
const MAX_CONTROL: usize = 125;

/// What a client sent: a whole message, or a control frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A ping; the pong that answers it carries the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// The client's close frame. Whatever follows it is to be ignored (RFC 6455, section 1.4).
    Close {
        /// The status code, if the client gave one.
        code: Option<u16>,
        /// The client's words on it, often empty.
        reason: &'a str,
    },
}

/// Reads a client's frames, in whatever pieces they arrive.
///
/// Between messages it holds no buffer. A frame that is whole in the input is yielded from where it lies; memory is
/// taken only for messages that arrive in parts, and only as much as has arrived.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The first bytes of a header that the end of a read cut in two.
    header: [u8; MAX_CLIENT_HEADER],
    header_len: u8,
    partial: Option<Box<Partial>>,
}

/// What has arrived of a message, of a frame, or of both: a control frame may come between two fragments.
#[derive(Debug, Default)]
struct Partial {
    message: Option<Message>,
    frame: Option<Frame>,
    control: Vec<u8>,
    /// What the last call yielded from here; the next one lets go of it.
    yielded: Option<Found>,
}

#[derive(Debug)]
struct Message {
    body: Body,
    frames: usize,
}

#[derive(Debug)]
enum Body {
    Text(PartialText),
    Binary(Vec<u8>),
}

/// A frame of which the payload is still to come.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    mask: [u8; 4],
    remaining: usize,
}

/// Where the thing to yield lies.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// In the input, the last `usize` bytes of what was consumed.
    Here(Opcode, usize),
    /// In the buffer for control frames.
    Control(Opcode),
    /// In the buffer of the message.
    Message,
}

impl Decoder {
    /// Creates a decoder for a connection of which no byte has been read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what it can from the front of `input`, which is unmasked in place: tells how many bytes were consumed
    /// and, if a message or control frame is complete, what it is.
    ///
    /// Call it with the rest of the input until it yields `None`. Then all of the input is consumed, and the buffer
    /// of a message that had arrived in parts is given back.
    ///
    /// # Errors
    ///
    /// Fails if the client broke RFC 6455 or a ceiling. The error tells the close code to answer with; the decoder
    /// must not be used any more.
    pub fn decode<'a>(
        &'a mut self,
        input: &'a mut [u8],
        limits: &Limits,
    ) -> Result<(usize, Option<Incoming<'a>>), WebSocketError> {
        self.release();
        let mut consumed = 0;
        let found = loop {
            let rest = &mut input[consumed..];
            let (taken, found) = match &mut self.partial {
                Some(partial) if partial.frame.is_some() => partial.take(rest)?,
                _ => self.begin_frame(rest, limits)?,
            };
            consumed += taken;
            if found.is_some() || (consumed == input.len() && !self.has_empty_rest()) {
                break found;
            }
        };
        let incoming = match found {
            None => None,
            Some(Found::Here(opcode, length)) => {
                Some(whole_frame(opcode, &input[consumed - length..consumed])?)
            }
            Some(Found::Control(opcode)) => {
                Some(whole_frame(opcode, &self.yielding(found).control)?)
            }
            Some(Found::Message) => {
                let message = self.yielding(found).message.as_ref();
                Some(message.expect("its last frame was just taken").incoming()?)
            }
        };
        Ok((consumed, incoming))
    }

    /// The memory held for what has arrived in parts, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| {
            let message = partial.message.as_ref().map_or(0, Message::capacity);
            size_of::<Partial>() + message + partial.control.capacity()
        })
    }

    /// Whether a frame is complete without a further byte, because its payload is empty.
    fn has_empty_rest(&self) -> bool {
        let frame = self.partial.as_ref().and_then(|partial| partial.frame);
        frame.is_some_and(|frame| frame.remaining == 0)
    }

    /// Has the next call let go of what is found, which lies in the buffers.
    fn yielding(&mut self, found: Option<Found>) -> &Partial {
        let partial = self
            .partial
            .as_mut()
            .expect("a frame was just taken into it");
        partial.yielded = found;
        partial
    }

    /// Lets go of what the last call yielded.
    fn release(&mut self) {
        let Some(partial) = &mut self.partial else {
            return;
        };
        match partial.yielded.take() {
            Some(Found::Message) => partial.message = None,
            Some(_) => partial.control = Vec::new(),
            None => {}
        }
        if partial.message.is_none() && partial.frame.is_none() {
            self.partial = None;
        }
    }

    /// Reads a header, and the payload too if the frame needs no buffer.
    fn begin_frame(
        &mut self,
        input: &mut [u8],
        limits: &Limits,
    ) -> Result<(usize, Option<Found>), WebSocketError> {
        let message = self
            .partial
            .as_ref()
            .and_then(|partial| partial.message.as_ref());
        let held = usize::from(self.header_len);
        let (header_len, mut frame) = if held == 0 {
            match parse_header(input, message, limits)? {
                Some(parsed) => parsed,
                None => {
                    self.header[..input.len()].copy_from_slice(input);
                    self.header_len = input.len() as u8;
                    return Ok((input.len(), None));
                }
            }
        } else {
            let fresh = input.len().min(MAX_CLIENT_HEADER - held);
            self.header[held..held + fresh].copy_from_slice(&input[..fresh]);
            match parse_header(&self.header[..held + fresh], message, limits)? {
                Some((header_len, frame)) => (header_len - held, frame),
                None => {
                    self.header_len += fresh as u8;
                    return Ok((fresh, None));
                }
            }
        };
        self.header_len = 0;

        let is_alone = frame.is_final && frame.opcode != Opcode::Continuation;
        if is_alone && let Some(payload) = input[header_len..].get_mut(..frame.remaining) {
            unmask(payload, &mut frame.mask);
            let found = Found::Here(frame.opcode, frame.remaining);
            return Ok((header_len + frame.remaining, Some(found)));
        }

        let partial = self.partial.get_or_insert_default();
        partial.frame = Some(frame);
        match frame.opcode {
            Opcode::Text => partial.begin_message(Body::Text(PartialText::default())),
            Opcode::Binary => partial.begin_message(Body::Binary(Vec::new())),
            _ => {}
        }
        if !frame.opcode.is_control() {
            partial
                .message
                .as_mut()
                .expect("the header was checked for it")
                .frames += 1;
        }
        Ok((header_len, None))
    }
}

impl Partial {
    fn begin_message(&mut self, body: Body) {
        self.message = Some(Message { body, frames: 0 });
    }

    /// Takes the payload of the frame that has begun, or as much of it as there is.
    fn take(&mut self, input: &mut [u8]) -> Result<(usize, Option<Found>), WebSocketError> {
        let Some(frame) = &mut self.frame else {
            return Ok((0, None));
        };
        let taken = frame.remaining.min(input.len());
        let piece = &mut input[..taken];
        unmask(piece, &mut frame.mask);
        frame.remaining -= taken;
        if frame.opcode.is_control() {
            self.control.extend_from_slice(piece);
        } else {
            match self.message.as_mut().map(|message| &mut message.body) {
                Some(Body::Text(text)) => text.push(piece)?,
                Some(Body::Binary(bytes)) => bytes.extend_from_slice(piece),
                None => {}
            }
        }
        if frame.remaining > 0 {
            return Ok((taken, None));
        }
        let found = match frame.opcode {
            opcode if opcode.is_control() => Some(Found::Control(opcode)),
            _ if frame.is_final => Some(Found::Message),
            _ => None,
        };
        self.frame = None;
        Ok((taken, found))
    }
}

impl Message {
    fn incoming(&self) -> Result<Incoming<'_>, WebSocketError> {
        match &self.body {
            Body::Text(text) => text
                .finished()
                .map(Incoming::Text)
                .ok_or(WebSocketError::InvalidUtf8),
            Body::Binary(bytes) => Ok(Incoming::Binary(bytes)),
        }
    }

    fn len(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Binary(bytes) => bytes.len(),
        }
    }

    fn capacity(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.capacity(),
            Body::Binary(bytes) => bytes.capacity(),
        }
    }
}

/// Reads a header from the front of `bytes`, with the message that it may continue: its length and what it announces,
/// or `None` if it is not whole yet.
///
/// Each rule is checked as soon as the bytes that it is about are there, so that a header fails alike in one piece
/// and byte by byte.
fn parse_header(
    bytes: &[u8],
    message: Option<&Message>,
    limits: &Limits,
) -> Result<Option<(usize, Frame)>, WebSocketError> {
    let &[first, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(WebSocketError::ReservedBits);
    }
    let bits = first & 0x0F;
    let opcode = Opcode::from_bits(bits).ok_or(WebSocketError::ReservedOpcode(bits))?;
    let is_final = first & 0x80 != 0;
    let frames = match (opcode, message) {
        (Opcode::Continuation, None) => return Err(WebSocketError::UnexpectedContinuation),
        (Opcode::Text | Opcode::Binary, Some(_)) => {
            return Err(WebSocketError::ExpectedContinuation);
        }
        (Opcode::Continuation, Some(message)) => message.frames,
        _ => 0,
    };
    if opcode.is_control() {
        if !is_final {
            return Err(WebSocketError::FragmentedControl);
        }
    } else if frames >= limits.max_fragments {
        return Err(WebSocketError::TooManyFragments {
            limit: limits.max_fragments,
        });
    }

    let &[second, ref rest @ ..] = rest else {
        return Ok(None);
    };
    if second & 0x80 == 0 {
        return Err(WebSocketError::Unmasked);
    }
    let short = second & 0x7F;
    if opcode.is_control() && usize::from(short) > MAX_CONTROL {
        return Err(WebSocketError::ControlTooLong);
    }
    let (declared, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    if declared >> 63 != 0 {
        return Err(WebSocketError::InvalidLength);
    }
    let room = match opcode {
        opcode if opcode.is_control() => MAX_CONTROL,
        _ => limits.max_payload - message.map_or(0, Message::len).min(limits.max_payload),
    };
    let remaining = usize::try_from(declared)
        .ok()
        .filter(|length| *length <= room)
        .ok_or(WebSocketError::TooLong {
            limit: limits.max_payload,
        })?;

    let Some((mask, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    let frame = Frame {
        opcode,
        is_final,
        mask: *mask,
        remaining,
    };
    Ok(Some((bytes.len() - rest.len(), frame)))
}

/// Reads the unmasked payload of a frame that is not part of a fragmented message.
fn whole_frame(opcode: Opcode, payload: &[u8]) -> Result<Incoming<'_>, WebSocketError> {
    Ok(match opcode {
        Opcode::Text => Incoming::Text(utf8(payload)?),
        Opcode::Binary => Incoming::Binary(payload),
        Opcode::Continuation => return Err(WebSocketError::UnexpectedContinuation),
        Opcode::Ping => Incoming::Ping(payload),
        Opcode::Pong => Incoming::Pong(payload),
        Opcode::Close => match payload {
            [] => Incoming::Close {
                code: None,
                reason: "",
            },
            [_] => return Err(WebSocketError::TruncatedCloseCode),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !may_be_sent(code) {
                    return Err(WebSocketError::InvalidCloseCode(code));
                }
                Incoming::Close {
                    code: Some(code),
                    reason: utf8(reason)?,
                }
            }
        },
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, WebSocketError> {
    std::str::from_utf8(bytes).map_err(|_| WebSocketError::InvalidUtf8)
}

/// The codes of RFC 6455, section 7.4.1 and of the IANA registry, without those that stand for the lack of a code,
/// and the ranges for libraries and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
