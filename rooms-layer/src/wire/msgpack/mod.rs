//! msgpack, the second form of what packets carry: parsers of clients and messages between servers use it.
//!
//! Everything in the house is JSON with attachments ([`Data`], [`Args`](crate::wire::Args)); msgpack has byte strings of its own. So
//! this is a transcoder: [`encode_value`] and its kin write JSON as msgpack with the attachments in their places, and
//! [`decode_value`] and its kin go the other way. Around the payload, messages are taken apart with a [`Reader`] and put
//! together with a [`Writer`].
//!
//! | msgpack | JSON |
//! |---|---|
//! | nil; notepack's undefined (`d4 00 ..`), which leaves a member of a map out; NaN and the infinities | `null` |
//! | integer | number; written in the shortest form |
//! | float 32, float 64 | number with a fraction or an exponent (`1.0`), so that it stays a float; written as float 64 |
//! | bin; notepack's ArrayBuffer (`c7`, `c8`, `c9` with type 0) | attachment; written as bin |
//! | timestamp (type -1); notepack's Date (`d7 00`) | string, as `JSON.stringify` writes a `Date`; not written |
//! | map | object; keys that are integers become their digits, other keys than those and strings are refused |
//!
//! Integers beyond 64 bits are written as float 64, which is what JavaScript reads them as. Text that is not UTF-8 is refused,
//! as it is in text messages.
//!
//! Reading is linear and iterative, and reserves nothing for what was only declared. So is writing, which takes JSON of any
//! depth.
//!
//! ```
//! use rooms_layer::wire::{DataWriter, Limits, msgpack::{Reader, Writer, decode_event, encode_data}};
//! use bytes::Bytes;
//!
//! let mut data = DataWriter::event("photo");
//! data.push(&("sea", Bytes::from_static(&[0xff, 0xd8])))?;
//! let data = data.finish();
//!
//! let mut writer = Writer::new();
//! writer.map(1);
//! writer.str("data");
//! encode_data(&data, &mut writer)?;
//! let message = writer.into_bytes();
//! assert_eq!(message, b"\x81\xa4data\x92\xa5photo\x92\xa3sea\xc4\x02\xff\xd8");
//!
//! let mut reader = Reader::new(&message);
//! assert_eq!((reader.map()?, reader.str()?), (1, "data"));
//! let again = decode_event(&mut reader, &Limits::default())?;
//! reader.finish()?;
//! assert_eq!(again.json(), data.json());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources: the [msgpack specification](https://github.com/msgpack/msgpack/blob/master/spec.md), and what `notepack.io` 2 and 3 write,
//! the codecs of `socket.io-msgpack-parser` and of Node's adapters.
//!
//! [`Data`]: crate::wire::Data

mod date;
mod decode;
mod encode;
mod error;
mod json;
mod reader;
mod writer;

pub(in crate::wire) use decode::Transcoder;
pub use decode::{Json, decode_args, decode_event, decode_value};
pub(in crate::wire) use encode::transcode;
pub use encode::{encode_args, encode_data, encode_value};
pub use error::{ReadError, WriteError};
pub use reader::{Reader, Token};
pub use writer::Writer;

#[cfg(test)]
mod tests;
