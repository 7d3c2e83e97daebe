//! From msgpack to JSON with attachments.

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{ReadError, Reader, Token, date::iso_8601};
use crate::wire::{
    Args, Data, Limits,
    args::{ArgsError, Elements},
    data::push_decimal,
};

/// One value that was msgpack: JSON text, with placeholders where the attachments belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Json {
    /// The text.
    pub text: String,
    /// The byte strings, in the order of their placeholders.
    pub attachments: Vec<Bytes>,
}

/// Reads one value.
///
/// # Errors
///
/// Fails if it is not msgpack, has no form in JSON (see the [module's table](super)), or exceeds the depth or the attachments that
/// `limits` allow.
pub fn decode_value(reader: &mut Reader<'_>, limits: &Limits) -> Result<Json, ReadError> {
    let mut transcoder = Transcoder::new(Vec::new(), limits);
    transcoder.value(reader, 0)?;
    let (text, attachments) = transcoder.into_parts();
    Ok(Json { text, attachments })
}

/// Reads an array as arguments that were received.
///
/// # Errors
///
/// Fails as [`decode_value`] does, if it is no array, has more elements than `limits` allow, or holds byte strings and an object
/// that looks like a placeholder.
pub fn decode_args(reader: &mut Reader<'_>, limits: &Limits) -> Result<Args, ReadError> {
    let mut transcoder = Transcoder::new(Vec::new(), limits);
    let elements = transcoder.array(reader, false)?;
    let (text, attachments) = transcoder.into_parts();
    Ok(Args::assemble(text.into(), elements, attachments)?)
}

/// Reads an array as an event to be sent, its name in front.
///
/// # Errors
///
/// Fails as [`decode_value`] does, if it is no array that begins with a string or a number, or if it has more arguments than
/// `limits` allow.
pub fn decode_event(reader: &mut Reader<'_>, limits: &Limits) -> Result<Data, ReadError> {
    let mut transcoder = Transcoder::new(vec![0; Data::HEADROOM], limits);
    let elements = transcoder.array(reader, true)?;
    let name = elements.first().map(|name| transcoder.text[name.start]);
    let Some(b'"' | b'-' | b'0'..=b'9') = name else {
        return Err(ReadError::InvalidEventName);
    };
    Ok(Data::from_parts(transcoder.text, transcoder.attachments))
}

/// Writes what is read as JSON behind what is there already.
pub(in crate::wire) struct Transcoder<'a> {
    text: Vec<u8>,
    attachments: Vec<Bytes>,
    /// The length of the attachments so far.
    bytes: usize,
    limits: &'a Limits,
}

/// An array or a map with elements to come.
struct Open {
    left: u32,
    end: u8,
    is_first: bool,
}

impl Open {
    fn new(left: u32, end: u8) -> Self {
        Self {
            left,
            end,
            is_first: true,
        }
    }
}

impl<'a> Transcoder<'a> {
    pub(in crate::wire) fn new(text: Vec<u8>, limits: &'a Limits) -> Self {
        Self {
            text,
            attachments: Vec::new(),
            bytes: 0,
            limits,
        }
    }

    pub(in crate::wire) fn into_parts(self) -> (String, Vec<Bytes>) {
        let text = String::from_utf8(self.text).expect("all that was written is UTF-8");
        (text, self.attachments)
    }

    /// Reads one value, and finds where it lies in the text.
    pub(in crate::wire) fn element(
        &mut self,
        reader: &mut Reader<'_>,
    ) -> Result<Range<usize>, ReadError> {
        let start = self.text.len();
        self.value(reader, 0)?;
        Ok(start..self.text.len())
    }

    /// Reads an array of arguments, and finds where they lie in the text. With `has_name`, the first one is the name of an
    /// event, which does not count.
    pub(in crate::wire) fn array(
        &mut self,
        reader: &mut Reader<'_>,
        has_name: bool,
    ) -> Result<Elements, ReadError> {
        let count = reader.array()?;
        let max_elements = self.limits.max_args.saturating_add(has_name.into());
        if usize::try_from(count).map_or(true, |count| count > max_elements) {
            let limit = self.limits.max_args;
            return Err(ArgsError::TooMany { limit }.into());
        }
        let mut elements = Elements::new();
        self.text.push(b'[');
        for index in 0..count {
            if index > 0 {
                self.text.push(b',');
            }
            let start = self.text.len();
            self.value(reader, 1)?;
            elements.push(start..self.text.len());
        }
        self.text.push(b']');
        Ok(elements)
    }

    /// Reads one value, which lies in so many arrays and maps.
    fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<(), ReadError> {
        let mut open: SmallVec<[Open; 8]> = SmallVec::new();
        loop {
            if let Some(begun) = self.step(reader)? {
                if depth + open.len() >= self.limits.max_depth {
                    let limit = self.limits.max_depth;
                    return Err(ArgsError::TooDeep { limit }.into());
                }
                open.push(begun);
            }
            // Ends what is complete now; the next value belongs to what is not.
            loop {
                let Some(around) = open.last_mut() else {
                    return Ok(());
                };
                if around.left > 0 {
                    around.left -= 1;
                    let before = self.text.len();
                    if !around.is_first {
                        self.text.push(b',');
                    }
                    if around.end == b'}' {
                        self.key(reader)?;
                        // As if it were not there, which is how `JSON.stringify` takes it.
                        if reader.skip_undefined() {
                            self.text.truncate(before);
                            continue;
                        }
                    }
                    around.is_first = false;
                    break;
                }
                self.text.push(around.end);
                open.pop();
            }
        }
    }

    fn key(&mut self, reader: &mut Reader<'_>) -> Result<(), ReadError> {
        match reader.token()? {
            Token::Str(key) => self.push(key),
            Token::Int(key) => self.push(&key.to_string()),
            Token::UInt(key) => self.push(&key.to_string()),
            _ => return Err(ReadError::MapKey),
        }
        self.text.push(b':');
        Ok(())
    }

    /// Writes what comes next, of an array or a map only its beginning.
    fn step(&mut self, reader: &mut Reader<'_>) -> Result<Option<Open>, ReadError> {
        match reader.token()? {
            Token::Nil => self.push(&()),
            Token::Bool(value) => self.push(&value),
            Token::Int(number) => self.push(&number),
            Token::UInt(number) => self.push(&number),
            // What is not finite is written as null.
            Token::Float(number) => self.push(&number),
            Token::Str(text) => self.push(text),
            Token::Bin(data) => self.attach(data)?,
            Token::Date(ms) => self.push(&iso_8601(ms)),
            Token::Ext { kind, .. } => return Err(ReadError::Extension { kind }),
            Token::Array(count) => {
                self.text.push(b'[');
                return Ok(Some(Open::new(count, b']')));
            }
            Token::Map(count) => {
                self.text.push(b'{');
                return Ok(Some(Open::new(count, b'}')));
            }
        }
        Ok(None)
    }

    fn push<T: serde::Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut self.text, value).expect("plain values are always JSON");
    }

    fn attach(&mut self, data: &[u8]) -> Result<(), ReadError> {
        if self.attachments.len() >= self.limits.max_attachments {
            let limit = self.limits.max_attachments;
            return Err(ReadError::TooManyAttachments { limit });
        }
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > self.limits.max_pending_bytes {
            let limit = self.limits.max_pending_bytes;
            return Err(ReadError::AttachmentsTooLong { limit });
        }
        self.text
            .extend_from_slice(br#"{"_placeholder":true,"num":"#);
        push_decimal(&mut self.text, self.attachments.len() as u64);
        self.text.push(b'}');
        self.attachments.push(Bytes::copy_from_slice(data));
        Ok(())
    }
}
