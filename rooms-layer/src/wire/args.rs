//! Incoming arguments: text until somebody asks for a type.

mod scan;
mod surrogates;

use std::{fmt, ops::Range, sync::OnceLock};

use bytes::Bytes;
use serde::Deserialize;

pub(super) use scan::{Elements, scan_array, scan_value};
pub(super) use surrogates::without_lone_surrogates;

use crate::wire::{Data, DataWriter, Limits, Value, data::EncodeError, value::ValueError};

/// What absent arguments are read from.
static NULL: Value = Value::Null;

/// Tells how the arguments of a packet broke the protocol or a ceiling.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// The text is not the JSON that it must be.
    #[error("peer sent arguments that are not valid JSON")]
    Syntax(#[source] serde_json::Error),
    /// There are more arguments than [`Limits::max_args`].
    #[error("peer sent more than {limit} arguments")]
    TooMany {
        /// The ceiling.
        limit: usize,
    },
    /// Arrays and objects are nested deeper than [`Limits::max_depth`].
    #[error("peer sent arguments nested deeper than {limit} levels")]
    TooDeep {
        /// The ceiling.
        limit: usize,
    },
    /// There is no event's name where one is due, or it is neither a string nor a number.
    #[error("peer sent an event whose name is neither a string nor a number")]
    EventName,
    /// A placeholder does not name one of the packet's attachments.
    #[error("peer sent a placeholder for an attachment that does not exist")]
    Placeholder,
}

/// Tells which argument could not be read as the type that was asked for. The source says why.
#[derive(Debug, thiserror::Error)]
#[error("argument {index} does not have the expected type")]
#[non_exhaustive]
pub struct DecodeError {
    index: usize,
    source: DecodeCause,
}

#[derive(Debug, thiserror::Error)]
enum DecodeCause {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl DecodeError {
    /// The position of the argument, counted from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Why it could not be read: what was expected, and what came.
    pub fn reason(&self) -> String {
        self.source.to_string()
    }
}

/// The arguments of one event or acknowledgement, or the payload of a connect packet.
///
/// They are checked to be JSON, but stay text until [`get`](Self::get) reads one as a type, which may borrow from
/// here. Placeholders have been checked against the attachments and are read as byte strings.
#[derive(Clone, Default)]
pub struct Args {
    text: Box<str>,
    elements: Elements,
    attachments: Vec<Bytes>,
    /// For the elements that cannot be read from the text alone; made when first needed.
    trees: OnceLock<Box<[OnceLock<Value>]>>,
}

impl Args {
    /// Reads a JSON array, as it stands in a packet.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON array, exceeds a ceiling, or has a placeholder without an attachment.
    pub fn parse(json: &str, attachments: Vec<Bytes>, limits: &Limits) -> Result<Self, ArgsError> {
        let text: Box<str> = without_lone_surrogates(json).into();
        let elements = scan_array(&text, 0, false, limits)?;
        Self::assemble(text, elements, attachments)
    }

    /// Takes the arguments that `data` was made of. The name of an event is not one of them.
    ///
    /// # Errors
    ///
    /// Fails if the data holds an object that looks like a placeholder but is none, or is nested too deep to be read.
    pub fn from_data(data: &Data) -> Result<Self, ArgsError> {
        let text: Box<str> = data.json().into();
        let unlimited = Limits {
            max_args: usize::MAX,
            max_depth: usize::MAX,
            ..Limits::default()
        };
        let mut elements = scan_array(&text, 0, data.is_event(), &unlimited)?;
        if data.is_event() {
            elements.remove(0);
        }
        Self::assemble(text, elements, data.attachments().to_vec())
    }

    /// Makes arguments of values.
    ///
    /// # Errors
    ///
    /// Fails if the values hold an object that looks like a placeholder, or are nested too deep to be read.
    pub fn from_values(values: &[Value]) -> Result<Self, ArgsError> {
        let mut writer = DataWriter::ack();
        for value in values {
            let pushed: Result<(), EncodeError> = writer.push(value);
            pushed.expect("a value is always JSON");
        }
        Self::from_data(&writer.finish())
    }

    /// Joins scanned text with its attachments, and checks that each placeholder has one.
    pub(super) fn assemble(
        text: Box<str>,
        elements: Elements,
        attachments: Vec<Bytes>,
    ) -> Result<Self, ArgsError> {
        let args = Self {
            text,
            elements,
            attachments,
            trees: OnceLock::new(),
        };
        let mut used = vec![false; args.attachments.len()];
        for index in 0..args.len() {
            if args.may_hold_placeholder(index) {
                // Not kept: a tree may take many times the memory of its text, and packets may have to wait.
                args.grow(index, &mut used)?;
            }
        }
        Ok(args)
    }

    /// The number of arguments.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The binary attachments of the packet.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The JSON text of one argument, with placeholders where attachments belong.
    pub fn raw(&self, index: usize) -> Option<&str> {
        self.elements
            .get(index)
            .map(|range| &self.text[range.clone()])
    }

    /// Reads one argument. One that is absent reads as `null`, as in JavaScript.
    ///
    /// The type may borrow strings and byte strings from here, also those that are escaped in the text.
    ///
    /// # Errors
    ///
    /// Fails if the argument is not what `T` expects.
    pub fn get<'de, T: Deserialize<'de>>(&'de self, index: usize) -> Result<T, DecodeError> {
        self.read(index)
            .map_err(|source| DecodeError { index, source })
    }

    fn read<'de, T: Deserialize<'de>>(&'de self, index: usize) -> Result<T, DecodeCause> {
        let Some(raw) = self.raw(index) else {
            return Ok(T::deserialize(&NULL)?);
        };
        if !self.may_hold_placeholder(index) {
            match serde_json::from_str(raw) {
                // What `T` borrows cannot be escaped in the text; in the tree it is not.
                Err(_) if memchr::memchr(b'\\', raw.as_bytes()).is_some() => {}
                outcome => return Ok(outcome?),
            }
        }
        let tree = self.tree(index).map_err(|error| match error {
            ArgsError::Syntax(source) => DecodeCause::Json(source),
            error => DecodeCause::Value(serde::de::Error::custom(error)),
        })?;
        Ok(T::deserialize(tree)?)
    }

    /// Reads all arguments, for whoever does not know their types.
    ///
    /// # Errors
    ///
    /// Fails if an argument is nested too deep or has a number that is out of range.
    pub fn values(&self) -> Result<Vec<Value>, DecodeError> {
        (0..self.len()).map(|index| self.get(index)).collect()
    }

    /// How many bytes the text of the arguments takes, that of its packet included.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// A part of the text of the packet that the arguments came in.
    pub(super) fn text_at(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    /// Whether the text alone may not be the whole element: it has the key of a placeholder, or an escape that could spell
    /// it.
    fn may_hold_placeholder(&self, index: usize) -> bool {
        let raw = self.raw(index).unwrap_or_default().as_bytes();
        !self.attachments.is_empty()
            && (memchr::memmem::find(raw, b"_placeholder").is_some()
                || memchr::memchr(b'\\', raw).is_some())
    }

    /// The element as a value, with attachments in the place of placeholders.
    fn tree(&self, index: usize) -> Result<&Value, ArgsError> {
        let trees = self
            .trees
            .get_or_init(|| self.elements.iter().map(|_| OnceLock::new()).collect());
        let slot = &trees[index];
        if let Some(tree) = slot.get() {
            return Ok(tree);
        }
        // That no other element holds them was checked when the packet was put together.
        let tree = self.grow(index, &mut vec![false; self.attachments.len()])?;
        Ok(slot.get_or_init(|| tree))
    }

    /// Makes the element a value, and notes in `used` which attachments it holds.
    fn grow(&self, index: usize, used: &mut [bool]) -> Result<Value, ArgsError> {
        let mut tree = serde_json::from_str(&self.text[self.elements[index].clone()])
            .map_err(ArgsError::Syntax)?;
        if !self.attachments.is_empty() {
            fill_placeholders(&mut tree, &self.attachments, used)?;
        }
        Ok(tree)
    }
}

/// Leaves the payload out: it does not belong in logs.
impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args")
            .field("len", &self.len())
            .field("attachments", &self.attachments.len())
            .finish_non_exhaustive()
    }
}

/// Puts the attachments where their placeholders are, each once: encoders give every byte string an attachment of its own, and
/// one that stood in thousands of places would be copied into each. The depth is bounded by that of the parser that made
/// `value`.
fn fill_placeholders(
    value: &mut Value,
    attachments: &[Bytes],
    used: &mut [bool],
) -> Result<(), ArgsError> {
    match value {
        Value::Array(elements) => elements
            .iter_mut()
            .try_for_each(|element| fill_placeholders(element, attachments, used)),
        Value::Object(entries) => {
            let mut is_placeholder = false;
            let mut num = None;
            for (key, value) in entries.iter() {
                match key.as_str() {
                    "_placeholder" => is_placeholder = *value == Value::Bool(true),
                    "num" => num = Some(value),
                    _ => {}
                }
            }
            if !is_placeholder {
                return entries
                    .iter_mut()
                    .try_for_each(|(_, value)| fill_placeholders(value, attachments, used));
            }
            let num = match num {
                Some(Value::Int(num)) => usize::try_from(*num).ok(),
                _ => None,
            };
            let num = num
                .filter(|&num| used.get(num) == Some(&false))
                .ok_or(ArgsError::Placeholder)?;
            used[num] = true;
            *value = Value::Binary(attachments[num].clone());
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
