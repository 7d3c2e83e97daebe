//! The client's end of a connection in memory.

use crate::wire::{
    Limits,
    engine_io::Packet as EngineIo,
    socket_io::{self, Packet},
    websocket::{Opcode, Unframe, header},
};
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// How much the pipe holds before the other side waits.
const BUFFER: usize = 64 * 1024;

/// Frames and packets over a duplex.
pub(super) struct Line {
    stream: DuplexStream,
    decoder: socket_io::Decoder,
    limits: Limits,
    /// Bytes of a frame that is not whole yet.
    partial: Vec<u8>,
    arrived: VecDeque<Arrived>,
}

/// What has come from the server.
#[derive(Debug)]
pub(super) enum Arrived {
    Packet(Packet),
    /// An Engine.IO noop: nothing but a mark between packets.
    Mark,
}

impl Line {
    /// Both ends: this one, and the one for the server.
    pub(super) fn new() -> (Self, DuplexStream) {
        let (stream, other) = tokio::io::duplex(BUFFER);
        let line = Self {
            stream,
            decoder: socket_io::Decoder::for_client(),
            limits: Limits::default(),
            partial: Vec::new(),
            arrived: VecDeque::new(),
        };
        (line, other)
    }

    /// What has arrived next; `None` when the server has closed.
    pub(super) async fn next(&mut self) -> Option<Arrived> {
        loop {
            if let Some(arrived) = self.arrived.pop_front() {
                return Some(arrived);
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).await.ok()?;
            if count == 0 {
                return None;
            }
            self.partial.extend_from_slice(&buffer[..count]);
            self.take_frames().await;
        }
    }

    async fn take_frames(&mut self) {
        let whole = whole_frames(&self.partial);
        let frames: Vec<u8> = self.partial.drain(..whole).collect();
        let mut pings = 0;
        for frame in Unframe::new(&frames) {
            let packet = if frame.is_text {
                let text = str::from_utf8(frame.payload).expect("the server sends UTF-8");
                match EngineIo::decode(text).expect("the server sends Engine.IO packets") {
                    EngineIo::Message(text) => self.decoder.text(text, &self.limits),
                    EngineIo::Noop => {
                        self.arrived.push_back(Arrived::Mark);
                        continue;
                    }
                    EngineIo::Ping(_) => {
                        pings += 1;
                        continue;
                    }
                    _ => continue,
                }
            } else {
                self.decoder.binary(frame.payload, &self.limits)
            };
            let packet = packet.expect("the server sends Socket.IO packets");
            self.arrived.extend(packet.map(Arrived::Packet));
        }
        for _ in 0..pings {
            self.send_frame(Opcode::Text, b"3").await;
        }
    }

    /// Sends a packet that the server's encoder has framed: an encoder for clients would differ in the mask only.
    pub(super) async fn send(&mut self, framed: &[u8]) {
        for frame in Unframe::new(framed) {
            let opcode = match frame.is_text {
                true => Opcode::Text,
                false => Opcode::Binary,
            };
            self.send_frame(opcode, frame.payload).await;
        }
    }

    async fn send_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut frame = header(opcode, payload.len()).as_ref().to_vec();
        // A client masks (RFC 6455, section 5.3); a mask of zeros changes nothing.
        frame[1] |= 0x80;
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        // A server that has closed is noticed by the next read.
        let _ = self.stream.write_all(&frame).await;
    }

    pub(super) async fn close(mut self) {
        self.send_frame(Opcode::Close, b"").await;
        while self.next().await.is_some() {}
    }
}

/// How many bytes of the input are whole unmasked frames.
fn whole_frames(input: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &input[at..];
        let (header, length) = match rest {
            [_, length, ..] if *length < 126 => (2, u64::from(*length)),
            [_, 126, a, b, ..] => (4, u64::from(u16::from_be_bytes([*a, *b]))),
            [_, 127, a, b, c, d, e, f, g, h, ..] => {
                (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            _ => return at,
        };
        let frame = header + usize::try_from(length).expect("the server's frames fit in memory");
        if rest.len() < frame {
            return at;
        }
        at += frame;
    }
}
