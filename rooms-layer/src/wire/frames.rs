//! Packets on their way out, in the format that each recipient reads.

use std::cell::OnceCell;

use bytes::Bytes;

use crate::wire::{engine_io::v3, socket_io::msgpack_frame};

/// How the packets of a connection are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Text, with each attachment in a binary message of its own: what every client speaks that is not told otherwise.
    #[default]
    Json,
    /// The same, in the binary messages of Engine.IO 3: what clients of that revision speak.
    JsonV3,
    /// One binary message: what clients with `socket.io-msgpack-parser` speak.
    Msgpack,
}

/// One packet, framed for WebSocket, in every format that somebody asks for.
///
/// It is made in JSON. Another format is made of that when the first recipient turns up who reads it, and once for all of them.
///
/// ```
/// use rooms_layer::wire::{DataWriter, Format, Frames, socket_io::frame_event};
///
/// let frames = Frames::from(frame_event(DataWriter::event("hi").finish(), "/", None));
/// let json = frames.in_format(Format::Json).unwrap();
/// assert_eq!(json, &b"\x81\x0842[\"hi\"]"[..]);
/// let msgpack = frames.in_format(Format::Msgpack).unwrap();
/// assert_eq!(msgpack, &b"\x82\x16\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa2hi"[..]);
/// ```
#[derive(Clone, Debug)]
pub struct Frames {
    json: Bytes,
    json_v3: OnceCell<Bytes>,
    msgpack: OnceCell<Option<Bytes>>,
}

impl Frames {
    /// The packet in that format; `None` if it is too long to have a form there.
    pub fn in_format(&self, format: Format) -> Option<&Bytes> {
        match format {
            Format::Json => Some(&self.json),
            Format::JsonV3 => Some(self.json_v3.get_or_init(|| v3::frames(&self.json))),
            Format::Msgpack => self
                .msgpack
                .get_or_init(|| msgpack_frame(&self.json))
                .as_ref(),
        }
    }
}

/// Takes a packet in JSON, framed as [`frame_event`](crate::wire::socket_io::frame_event) and its kin do.
impl From<Bytes> for Frames {
    fn from(json: Bytes) -> Self {
        Self {
            json,
            json_v3: OnceCell::new(),
            msgpack: OnceCell::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::{binary_frame, text_frame};

    #[test]
    fn a_format_is_made_once() {
        let mut packet = text_frame("451-[\"x\"]").to_vec();
        packet.extend_from_slice(&binary_frame(&[1, 2]));
        let frames = Frames::from(Bytes::from(packet));
        for format in [Format::Json, Format::JsonV3, Format::Msgpack] {
            let first = frames.in_format(format).map(|bytes| bytes.as_ptr());
            let second = frames.in_format(format).map(|bytes| bytes.as_ptr());
            assert_eq!(first, second, "{format:?}");
        }
        let v3 = frames.in_format(Format::JsonV3).unwrap();
        assert!(v3.ends_with(&binary_frame(&[4, 1, 2])), "{v3:?}");
    }
}
