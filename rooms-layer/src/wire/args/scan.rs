//! Finding the elements of a JSON array without reading them.

use std::{cell::Cell, fmt, ops::Range};

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::ArgsError;
use crate::wire::Limits;

/// Where the elements of an array lie in a text.
pub(in crate::wire) type Elements = SmallVec<[Range<usize>; 3]>;

/// Finds the elements of the array that `text` holds from `start` to its end, and checks their syntax.
/// With `has_name`, the first one is the name of an event, which does not count as an argument.
pub(in crate::wire) fn scan_array(
    text: &str,
    start: usize,
    has_name: bool,
    limits: &Limits,
) -> Result<Elements, ArgsError> {
    let json = &text[start..];
    check_depth(json, limits.max_depth)?;
    let too_many = Cell::new(false);
    let max_elements = limits.max_args.saturating_add(has_name.into());
    let scan = Scan {
        text,
        max_elements,
        too_many: &too_many,
    };
    let mut reader = serde_json::Deserializer::from_str(json);
    let scanned = scan.deserialize(&mut reader).and_then(|elements| {
        reader.end()?;
        Ok(elements)
    });
    scanned.map_err(|error| match too_many.get() {
        true => ArgsError::TooMany {
            limit: limits.max_args,
        },
        false => ArgsError::Syntax(error),
    })
}

/// Checks the syntax of the one value that `text` holds from `start` to its end, and finds where it lies.
pub(in crate::wire) fn scan_value(
    text: &str,
    start: usize,
    limits: &Limits,
) -> Result<Range<usize>, ArgsError> {
    let json = &text[start..];
    check_depth(json, limits.max_depth)?;
    let value: &RawValue = serde_json::from_str(json).map_err(ArgsError::Syntax)?;
    Ok(range_in(text, value.get()))
}

/// Refuses text that is nested too deep. Its syntax need not have been checked.
fn check_depth(json: &str, max_depth: usize) -> Result<(), ArgsError> {
    let bytes = json.as_bytes();
    // Nothing is nested deeper than it has opening brackets, and counting those is many times faster.
    if memchr::memchr2_iter(b'[', b'{', bytes)
        .nth(max_depth)
        .is_none()
    {
        return Ok(());
    }
    let mut depth = 0;
    let mut in_string = false;
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > max_depth {
                    return Err(ArgsError::TooDeep { limit: max_depth });
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Where `part`, a slice of `text`, lies in it.
fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

struct Scan<'a> {
    text: &'a str,
    max_elements: usize,
    /// Set when the ceiling is what the scan failed for; serde's errors cannot carry that.
    too_many: &'a Cell<bool>,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Scan<'a> {
    type Value = Elements;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Elements, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Scan<'a> {
    type Value = Elements;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements, A::Error> {
        let mut elements = Elements::new();
        while let Some(element) = seq.next_element::<&'de RawValue>()? {
            if elements.len() == self.max_elements {
                self.too_many.set(true);
                return Err(serde::de::Error::custom("too many arguments"));
            }
            elements.push(range_in(self.text, element.get()));
        }
        Ok(elements)
    }
}
