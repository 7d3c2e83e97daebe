//! WebSocket frames (RFC 6455), as a server reads and writes them.

mod decode;
mod encode;
mod error;
mod mask;
mod utf8;

pub use decode::{Decoder, Incoming};
pub(super) use encode::push_frame;
pub use encode::{
    Header, MAX_HEADER, Unframe, Unframed, binary_frame, close_frame, header, ping_frame,
    pong_frame, text_frame,
};
pub use error::WebSocketError;

/// The type of a WebSocket frame (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// One more frame of a message that an earlier frame began.
    Continuation = 0x0,
    /// The first frame of a text message.
    Text = 0x1,
    /// The first frame of a binary message.
    Binary = 0x2,
    /// The end of the connection.
    Close = 0x8,
    /// A question that a pong answers.
    Ping = 0x9,
    /// The answer to a ping, or a sign of life that nobody asked for.
    Pong = 0xA,
}

impl Opcode {
    /// Reads the low four bits of a frame's first byte; reserved types are `None`.
    pub fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Whether the frame controls the connection instead of carrying a part of a message.
    pub fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

#[cfg(test)]
mod tests;
