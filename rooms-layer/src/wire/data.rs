//! Outgoing arguments: JSON with the binary parts taken out.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::wire::{
    Args, Limits,
    args::{ArgsError, scan_array, without_lone_surrogates},
};

/// What kept an argument from being serialised.
#[derive(Debug, thiserror::Error)]
#[error("argument cannot be written as JSON")]
#[non_exhaustive]
pub struct EncodeError {
    #[from]
    source: serde_json::Error,
}

/// The serialised arguments of one event or acknowledgement: a JSON array, with placeholders where the attachments
/// belong.
#[derive(Clone)]
pub struct Data {
    /// The JSON, behind the headroom.
    buffer: Vec<u8>,
    attachments: Vec<Bytes>,
    is_event: bool,
}

impl Data {
    /// The room kept free in front of the JSON, for the WebSocket header and the packet's prefix. Whoever has a
    /// longer namespace pays with a copy.
    pub(super) const HEADROOM: usize = 64;

    /// The JSON array. In the data of an event its first element is the event's name.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.buffer[Self::HEADROOM..]).expect("serde_json writes UTF-8")
    }

    /// The binary parts, in the order of their placeholders.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// How many bytes the array and the binary parts have together. Costs nothing, other than [`json`](Self::json), which looks at all
    /// of the text.
    pub fn size(&self) -> usize {
        let parts = self.attachments.iter().map(Bytes::len);
        self.buffer.len() - Self::HEADROOM + parts.sum::<usize>()
    }

    /// Whether the first element of the array is the name of an event.
    pub fn is_event(&self) -> bool {
        self.is_event
    }

    /// Makes the data of an event of a buffer with its JSON behind the headroom, and the attachments.
    pub(super) fn from_parts(buffer: Vec<u8>, attachments: Vec<Bytes>) -> Self {
        Self {
            buffer,
            attachments,
            is_event: true,
        }
    }

    /// Appends a text as the last argument.
    pub(crate) fn push_text(&mut self, text: &str) {
        let text = serde_json::to_string(text).expect("a string is always JSON");
        let end = self.buffer.pop();
        debug_assert_eq!(end, Some(b']'), "data is an array");
        if self.buffer.len() > Self::HEADROOM + 1 {
            self.buffer.push(b',');
        }
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.push(b']');
    }

    /// Takes an event as another server wrote it: a JSON array, the event's name in front, with placeholders for the
    /// attachments.
    ///
    /// ```
    /// use rooms_layer::wire::{Data, Limits};
    ///
    /// let data = Data::parse_event(r#"["hello",1]"#, Vec::new(), &Limits::default())?;
    /// assert!(data.is_event());
    /// assert_eq!(data.json(), r#"["hello",1]"#);
    /// # Ok::<(), rooms_layer::wire::args::ArgsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON array that begins with a string or a number, exceeds a ceiling, or has a placeholder
    /// without an attachment.
    pub fn parse_event(
        json: &str,
        attachments: Vec<Bytes>,
        limits: &Limits,
    ) -> Result<Self, ArgsError> {
        let text = without_lone_surrogates(json.trim_ascii());
        let elements = scan_array(&text, 0, true, limits)?;
        let name = elements.first().map(|name| text.as_bytes()[name.start]);
        let Some(b'"' | b'-' | b'0'..=b'9') = name else {
            return Err(ArgsError::EventName);
        };
        if !attachments.is_empty() {
            Args::assemble((*text).into(), elements, attachments.clone())?;
        }
        let mut buffer = vec![0; Self::HEADROOM];
        buffer.extend_from_slice(text.as_bytes());
        Ok(Self {
            buffer,
            attachments,
            is_event: true,
        })
    }

    /// Takes the data apart: a buffer with the JSON behind the headroom, and the attachments.
    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<Bytes>) {
        (self.buffer, self.attachments)
    }
}

/// Leaves the payload out: it does not belong in logs.
impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Data")
            .field("is_event", &self.is_event)
            .field("json_len", &(self.buffer.len() - Data::HEADROOM))
            .field("attachments", &self.attachments.len())
            .finish_non_exhaustive()
    }
}

/// Serialises arguments straight to JSON, with byte strings pulled out as attachments.
///
/// Whatever serialises as bytes (`Bytes`, `serde_bytes`, [`Value::Binary`](crate::wire::Value::Binary)) becomes an attachment, at any depth.
///
/// ```
/// use bytes::Bytes;
/// use rooms_layer::wire::DataWriter;
///
/// let mut writer = DataWriter::event("photo");
/// writer.push(&("sea.jpg", Bytes::from_static(&[0xff, 0xd8])))?;
/// let data = writer.finish();
/// assert_eq!(data.json(), r#"["photo",["sea.jpg",{"_placeholder":true,"num":0}]]"#);
/// assert_eq!(data.attachments().len(), 1);
/// assert_eq!(data.size(), data.json().len() + 2);
/// # Ok::<(), rooms_layer::wire::data::EncodeError>(())
/// ```
#[derive(Debug)]
#[must_use = "a writer does nothing until `finish` is called"]
pub struct DataWriter {
    data: Data,
}

impl DataWriter {
    /// Begins the arguments of an event.
    pub fn event(name: &str) -> Self {
        let mut writer = Self::new(true, name.len() + 128);
        writer.write(name).expect("a string is always JSON");
        writer
    }

    /// Begins the arguments of an acknowledgement.
    pub fn ack() -> Self {
        Self::new(false, 64)
    }

    fn new(is_event: bool, expected: usize) -> Self {
        let mut buffer = Vec::with_capacity(Data::HEADROOM + expected);
        buffer.resize(Data::HEADROOM, 0);
        buffer.push(b'[');
        Self {
            data: Data {
                buffer,
                attachments: Vec::new(),
                is_event,
            },
        }
    }

    /// Appends an argument.
    ///
    /// # Errors
    ///
    /// Fails if the argument's `Serialize` does, or if a map in it has keys that JSON has no text for. A failed push
    /// leaves no trace; the writer can be used further.
    pub fn push<T: Serialize + ?Sized>(&mut self, argument: &T) -> Result<(), EncodeError> {
        let (length, attachments) = (self.data.buffer.len(), self.data.attachments.len());
        self.write(argument).inspect_err(|_| {
            self.data.buffer.truncate(length);
            self.data.attachments.truncate(attachments);
        })
    }

    fn write<T: Serialize + ?Sized>(&mut self, argument: &T) -> Result<(), EncodeError> {
        let Data {
            buffer,
            attachments,
            ..
        } = &mut self.data;
        if buffer.len() > Data::HEADROOM + 1 {
            buffer.push(b',');
        }
        argument.serialize(&mut Serializer::with_formatter(
            buffer,
            Extract { attachments },
        ))?;
        Ok(())
    }

    /// Ends the array.
    pub fn finish(mut self) -> Data {
        self.data.buffer.push(b']');
        self.data
    }
}

/// Compact JSON, but for byte strings: they move to the attachments and leave a placeholder behind.
struct Extract<'a> {
    attachments: &'a mut Vec<Bytes>,
}

impl Formatter for Extract<'_> {
    fn write_byte_array<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        bytes: &[u8],
    ) -> io::Result<()> {
        write!(
            writer,
            r#"{{"_placeholder":true,"num":{}}}"#,
            self.attachments.len()
        )?;
        self.attachments.push(Bytes::copy_from_slice(bytes));
        Ok(())
    }
}

/// Appends a number in decimal digits; cheaper than the formatting machinery on the way of every packet.
pub(super) fn push_decimal(out: &mut impl Extend<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[first..].iter().copied());
}
