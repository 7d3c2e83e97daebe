//! JSON with binary leaves, for data whose type is not known before it arrives.

mod de;
mod error;
mod ser;

use bytes::Bytes;

pub use error::ValueError;
pub use ser::to_value;

/// Any argument: JSON, with byte strings as a type of their own.
///
/// A reference to it is a serde deserializer, from which `&str` and `&[u8]` can be borrowed; [`to_value`] goes the
/// other way.
///
/// ```
/// use bytes::Bytes;
/// use rooms_layer::wire::{Value, value::to_value};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Photo<'a> {
///     name: &'a str,
///     content: Bytes,
/// }
///
/// let value = Value::Object(vec![
///     ("name".into(), "sea".into()),
///     ("content".into(), Bytes::from_static(&[0xff, 0xd8]).into()),
/// ]);
/// let photo = Photo::deserialize(&value)?;
/// assert_eq!((photo.name, photo.content.len()), ("sea", 2));
/// assert_eq!(to_value(&"sea")?, Value::from("sea"));
/// # Ok::<(), rooms_layer::wire::value::ValueError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`; also what is absent.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer beyond [`i64::MAX`]; smaller ones are [`Int`](Self::Int).
    UInt(u64),
    /// Any other number. Infinite ones and NaN are written as `null`.
    Float(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, in the order of the text. A key that occurs twice is kept twice, and [`get`](Self::get) finds the
    /// last, which is the one that JavaScript keeps.
    Object(Vec<(String, Value)>),
    /// A byte string; on the wire, a binary attachment.
    Binary(Bytes),
}

impl Value {
    /// The value under `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Object(entries) = self else {
            return None;
        };
        entries
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        let Self::String(text) = self else {
            return None;
        };
        Some(text)
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        let Self::Array(elements) = self else {
            return None;
        };
        Some(elements)
    }

    /// The bytes, if this is a byte string.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        let Self::Binary(bytes) = self else {
            return None;
        };
        Some(bytes)
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $result:expr;)*) => {$(
        impl From<$source> for Value {
            fn from($value: $source) -> Self {
                $result
            }
        }
    )*};
}

from! {
    () => |_unit| Self::Null;
    bool => |value| Self::Bool(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u8 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u64 => |value| i64::try_from(value).map_or(Self::UInt(value), Self::Int);
    f32 => |value| Self::Float(value.into());
    f64 => |value| Self::Float(value);
    &str => |value| Self::String(value.into());
    String => |value| Self::String(value);
    Bytes => |value| Self::Binary(value);
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::Object(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
pub(in crate::wire) mod tests;
