//! What a server made by hand needs: WebSocket frames, the few Socket.IO packets of a benchmark, their answers.
//!
//! The floor and the peers without a Socket.IO library share this file, so that they differ in how they write and in
//! nothing else. Identifiers are constants: none of these servers ever looks one up.

use crate::clock::now_ns;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};
use std::ops::Range;

/// Opcode of a text frame (RFC 6455, section 5.2).
pub const TEXT: u8 = 1;
/// Opcode of a binary frame.
pub const BINARY: u8 = 2;
/// Opcode of a close frame.
pub const CLOSE: u8 = 8;

/// The Engine.IO open packet.
pub const OPEN: &str = r#"0{"sid":"aaaaaaaaaaaaaaaaaaaa","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;

/// The longest client frame these servers take: more than the load generator ever sends.
pub const MAX_FRAME: usize = 16 * 1024;

const CONNECTED: &str = r#"40{"sid":"bbbbbbbbbbbbbbbbbbbb"}"#;

/// What a client's message asks for.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Answer with this packet.
    Reply(String),
    /// Join the room, then answer with this packet.
    Join(String),
    /// Emit `events` events to the room in one go.
    Blast {
        /// How many.
        events: u32,
        /// Payload of each.
        bytes: usize,
    },
    /// Emit events to the room at a steady rate.
    Pace {
        /// Events per second.
        rate: u32,
        /// Payload of each, the time stamp included.
        bytes: usize,
        /// For how long.
        secs: u32,
        /// To whom: `room`, `all`, `except`, `seats` or `binary`.
        to: String,
    },
    /// Sit down in these small rooms, then answer with the packet.
    Sit(Vec<u32>, String),
    /// Nothing to do: a pong, or something a benchmark does not send.
    Nothing,
}

impl Command {
    /// Reads one Engine.IO message (the text of one frame).
    pub fn read(text: &str) -> Command {
        if text == "40" {
            return Command::Reply(CONNECTED.to_owned());
        }
        let Some((id, body)) = text
            .strip_prefix("42")
            .and_then(|rest| rest.split_at_checked(rest.find('[')?))
        else {
            return Command::Nothing;
        };
        if let Some(argument) = body.strip_prefix(r#"["echo","#) {
            // One allocation, unlike formatting: this is the hot path of an echo.
            return Command::Reply(["43", id, "[", argument].concat());
        }
        if body.starts_with(r#"["join""#) {
            return Command::Join(format!(r#"43{id}["ok"]"#));
        }
        if body.starts_with(r#"["mute""#) {
            // Who is muted hears nothing, which by hand is the same as not being in the room.
            return Command::Reply(format!(r#"43{id}["ok"]"#));
        }
        let mut words = body
            .trim_start_matches('[')
            .trim_end_matches(']')
            .split(',');
        let event = words.next();
        let (mut numbers, mut to) = (Vec::new(), "room");
        for word in words {
            match word.trim_matches(['[', ']']).parse() {
                Ok(number) => numbers.push(number),
                Err(_) => to = word.trim_matches('"'),
            }
        }
        match (event, numbers.as_slice()) {
            (Some(r#""blast""#), &[events, bytes]) => Command::Blast {
                events,
                bytes: bytes as usize,
            },
            (Some(r#""pace""#), &[rate, bytes, secs]) => Command::Pace {
                rate,
                bytes: bytes as usize,
                secs,
                to: to.to_owned(),
            },
            (Some(r#""sit""#), rooms) => Command::Sit(rooms.to_vec(), format!(r#"43{id}["ok"]"#)),
            _ => Command::Nothing,
        }
    }
}

/// The packet of one emitted event.
pub fn event(seq: u32, payload: &str) -> String {
    format!(r#"42["msg",{seq},"{payload}"]"#)
}

/// The packet of one event with an attachment, which goes into a frame of its own.
pub fn binary_event(seq: u32) -> String {
    format!(r#"451-["bin",{seq},{{"_placeholder":true,"num":0}}]"#)
}

/// A payload of `bytes` that starts with the time of its making.
pub fn stamped(bytes: usize) -> String {
    format!(
        "{:020}{:x<width$}",
        now_ns(),
        "",
        width = bytes.saturating_sub(20)
    )
}

/// Appends an unmasked, final frame to `out`.
pub fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        n @ 0..126 => out.push(n as u8),
        n @ 126..0x1_0000 => {
            out.push(126);
            out.extend((n as u16).to_be_bytes());
        }
        n => {
            out.push(127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// A frame of a client, found at the start of a buffer.
#[derive(Debug, PartialEq)]
pub struct ClientFrame {
    /// Its opcode.
    pub opcode: u8,
    /// Where its payload is, unmasked.
    pub payload: Range<usize>,
    /// How many bytes of the buffer it took, header included.
    pub len: usize,
}

/// A client announced a frame over [`MAX_FRAME`], or did not mask it.
#[derive(Debug, PartialEq)]
pub struct BadFrame;

/// Finds the client frame at the start of `buf` and unmasks it in place; `None` while it is not whole.
///
/// # Errors
/// When the frame is unmasked (RFC 6455, section 5.1) or over [`MAX_FRAME`].
pub fn client_frame(buf: &mut [u8]) -> Result<Option<ClientFrame>, BadFrame> {
    let (opcode, mask_at, len) = match *buf {
        [_, second, ..] if second & 0x80 == 0 => return Err(BadFrame),
        [first, 0xfe, high, low, ..] => {
            (first & 15, 4, usize::from(u16::from_be_bytes([high, low])))
        }
        [_, 0xfe, ..] => return Ok(None),
        // A 64-bit length is over the limit by the rule of the shortest form.
        [_, 0xff, ..] => return Err(BadFrame),
        [first, second, ..] => (first & 15, 2, usize::from(second & 0x7f)),
        _ => return Ok(None),
    };
    if len > MAX_FRAME {
        return Err(BadFrame);
    }
    let start = mask_at + 4;
    let Some((head, rest)) = buf.split_at_mut_checked(start) else {
        return Ok(None);
    };
    let Some(payload) = rest.get_mut(..len) else {
        return Ok(None);
    };
    let mask = [
        head[mask_at],
        head[mask_at + 1],
        head[mask_at + 2],
        head[mask_at + 3],
    ];
    let (words, rest) = payload.as_chunks_mut();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    Ok(Some(ClientFrame {
        opcode,
        payload: start..start + len,
        len: start + len,
    }))
}

/// The value of `Sec-WebSocket-Accept` (RFC 6455, section 4.2.2).
pub fn accept_key(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let reply = |text: &str| Command::Reply(text.to_owned());
        for (text, wanted) in [
            ("40", reply(CONNECTED)),
            (r#"427["echo","x"]"#, reply(r#"437["x"]"#)),
            (r#"420["join"]"#, Command::Join(r#"430["ok"]"#.to_owned())),
            (
                r#"42["blast",10,64]"#,
                Command::Blast {
                    events: 10,
                    bytes: 64,
                },
            ),
            (
                r#"42["pace",20,128,4,"all"]"#,
                Command::Pace {
                    rate: 20,
                    bytes: 128,
                    secs: 4,
                    to: "all".to_owned(),
                },
            ),
            (r#"421["mute"]"#, reply(r#"431["ok"]"#)),
            (
                r#"420["sit",[1,20]]"#,
                Command::Sit(vec![1, 20], r#"430["ok"]"#.to_owned()),
            ),
            (r#"42["blast",10]"#, Command::Nothing),
            (r#"42["blast",10,99999999999]"#, Command::Nothing),
            ("42", Command::Nothing),
            ("42é", Command::Nothing),
            ("3", Command::Nothing),
            ("", Command::Nothing),
        ] {
            assert_eq!(Command::read(text), wanted, "{text}");
        }
    }

    #[test]
    fn client_frames_wait_until_whole() {
        for size in [0usize, 1, 125, 126, 1000, MAX_FRAME] {
            let mut bytes = vec![0x81];
            match size {
                0..126 => bytes.push(0x80 | size as u8),
                _ => {
                    bytes.push(0xfe);
                    bytes.extend((size as u16).to_be_bytes());
                }
            }
            bytes.extend([1, 2, 3, 4]);
            let start = bytes.len();
            bytes.extend((0..size).map(|i| b'x' ^ ((i as u8 & 3) + 1)));
            for cut in [0, 1, 2, 3, bytes.len() - 1] {
                let mut part = bytes[..cut].to_vec();
                assert_eq!(
                    client_frame(&mut part),
                    Ok(None),
                    "{cut} of {} bytes",
                    bytes.len()
                );
            }
            let frame = client_frame(&mut bytes)
                .expect("a masked frame")
                .expect("a whole frame");
            assert_eq!(
                frame,
                ClientFrame {
                    opcode: TEXT,
                    payload: start..start + size,
                    len: start + size
                }
            );
            assert!(bytes[frame.payload].iter().all(|b| *b == b'x'));
        }
    }

    #[test]
    fn bad_client_frames() {
        for mut bytes in [
            vec![0x81, 0x01, b'x'],
            vec![0x81, 0xff],
            vec![0x81, 0xfe, 0xff, 0xff],
        ] {
            assert_eq!(client_frame(&mut bytes), Err(BadFrame));
        }
    }

    #[test]
    fn accept_key_of_the_rfc() {
        assert_eq!(
            accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
