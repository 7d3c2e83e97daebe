//! Packets on their way out, in the format that each recipient reads.

use std::cell::OnceCell;

use bytes::Bytes;

use crate::wire::socket_io::msgpack_frame;

/// How the packets of a connection are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Text, with each attachment in a binary message of its own: what every client speaks that is not told otherwise.
    #[default]
    Json,
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
    msgpack: OnceCell<Option<Bytes>>,
}

impl Frames {
    /// The packet in that format; `None` if it is too long to have a form there.
    pub fn in_format(&self, format: Format) -> Option<&Bytes> {
        match format {
            Format::Json => Some(&self.json),
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
            msgpack: OnceCell::new(),
        }
    }
}
