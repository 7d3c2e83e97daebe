//! A cursor over msgpack.

use super::ReadError;

/// Reads msgpack from memory, value after value.
///
/// It borrows strings and byte strings from its input, allocates nothing, and never recurses. A clone remembers a place to come
/// back to, which costs nothing either: that is how the keys of a map are taken in any order. After an error the place
/// is anywhere.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// One step of a [`Reader`]: a plain value, or the beginning of an array or a map, whose elements are the next steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Token<'a> {
    /// Nothing; also what notepack writes for `undefined`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer beyond [`i64::MAX`]; smaller ones are [`Int`](Self::Int).
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Str(&'a str),
    /// A byte string; also what notepack writes for an `ArrayBuffer` and its views.
    Bin(&'a [u8]),
    /// The beginning of an array of so many elements.
    Array(u32),
    /// The beginning of a map of so many entries, each a key and a value.
    Map(u32),
    /// A moment in milliseconds since 1970, in either form that notepack writes for a `Date`. What is smaller is cut off.
    Date(i64),
    /// Any other extension.
    Ext {
        /// Its type.
        kind: i8,
        /// Its content.
        data: &'a [u8],
    },
}

impl<'a> Reader<'a> {
    /// Creates a reader at the beginning of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// Fails with [`ReadError::Trailing`] if something is.
    pub fn finish(self) -> Result<(), ReadError> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(ReadError::Trailing { bytes }),
        }
    }

    /// Takes the next step. An array or a map that declares more elements than bytes are left is refused at once.
    ///
    /// # Errors
    ///
    /// Fails if the input ends, if a string is not UTF-8, and at the reserved byte `c1`.
    pub fn token(&mut self) -> Result<Token<'a>, ReadError> {
        let [marker] = self.take()?;
        match marker {
            0x00..=0x7f => Ok(Token::Int(marker.into())),
            0x80..=0x8f => self.map_of((marker & 0x0f).into()),
            0x90..=0x9f => self.array_of((marker & 0x0f).into()),
            0xa0..=0xbf => self.str_of((marker & 0x1f).into()),
            0xc0 => Ok(Token::Nil),
            0xc1 => Err(ReadError::Reserved),
            0xc2 => Ok(Token::Bool(false)),
            0xc3 => Ok(Token::Bool(true)),
            0xc4..=0xc6 => {
                let length = self.length(marker - 0xc4)?;
                self.bytes(length).map(Token::Bin)
            }
            0xc7..=0xc9 => {
                let length = self.length(marker - 0xc7)?;
                self.extension(length, false)
            }
            0xca => Ok(Token::Float(f32::from_be_bytes(self.take()?).into())),
            0xcb => Ok(Token::Float(f64::from_be_bytes(self.take()?))),
            0xcc => Ok(Token::Int(u8::from_be_bytes(self.take()?).into())),
            0xcd => Ok(Token::Int(u16::from_be_bytes(self.take()?).into())),
            0xce => Ok(Token::Int(u32::from_be_bytes(self.take()?).into())),
            0xcf => {
                let number = u64::from_be_bytes(self.take()?);
                Ok(i64::try_from(number).map_or(Token::UInt(number), Token::Int))
            }
            0xd0 => Ok(Token::Int(i8::from_be_bytes(self.take()?).into())),
            0xd1 => Ok(Token::Int(i16::from_be_bytes(self.take()?).into())),
            0xd2 => Ok(Token::Int(i32::from_be_bytes(self.take()?).into())),
            0xd3 => Ok(Token::Int(i64::from_be_bytes(self.take()?))),
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4), true),
            0xd9..=0xdb => {
                let length = self.length(marker - 0xd9)?;
                self.str_of(length)
            }
            0xdc | 0xdd => {
                let count = self.length(marker - 0xdc + 1)?;
                self.array_of(count)
            }
            0xde | 0xdf => {
                let count = self.length(marker - 0xde + 1)?;
                self.map_of(count)
            }
            0xe0..=0xff => Ok(Token::Int((marker as i8).into())),
        }
    }

    /// Passes over notepack's `undefined`, if it is next.
    pub(super) fn skip_undefined(&mut self) -> bool {
        let is_next = matches!(self.rest, [0xd4, 0, _, ..]);
        if is_next {
            self.rest = &self.rest[3..];
        }
        is_next
    }

    /// Passes over one value with all that is in it.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does.
    pub fn skip(&mut self) -> Result<(), ReadError> {
        let mut values: u64 = 1;
        while values > 0 {
            values -= 1;
            // Never more than there are bytes left, so the sum is small.
            values += match self.token()? {
                Token::Array(count) => u64::from(count),
                Token::Map(count) => 2 * u64::from(count),
                _ => 0,
            };
        }
        Ok(())
    }

    /// Reads the beginning of an array: how many elements it has.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn array(&mut self) -> Result<u32, ReadError> {
        match self.token()? {
            Token::Array(count) => Ok(count),
            _ => Err(unexpected("an array")),
        }
    }

    /// Reads the beginning of a map: how many entries it has.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn map(&mut self) -> Result<u32, ReadError> {
        match self.token()? {
            Token::Map(count) => Ok(count),
            _ => Err(unexpected("a map")),
        }
    }

    /// Reads a string.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn str(&mut self) -> Result<&'a str, ReadError> {
        match self.token()? {
            Token::Str(text) => Ok(text),
            _ => Err(unexpected("a string")),
        }
    }

    /// Reads a byte string.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn bin(&mut self) -> Result<&'a [u8], ReadError> {
        match self.token()? {
            Token::Bin(data) => Ok(data),
            _ => Err(unexpected("a byte string")),
        }
    }

    /// Reads an integer that is not negative.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn uint(&mut self) -> Result<u64, ReadError> {
        let number = match self.token()? {
            Token::Int(number) => u64::try_from(number).ok(),
            Token::UInt(number) => Some(number),
            _ => None,
        };
        number.ok_or(unexpected("an integer that is not negative"))
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    ///
    /// Fails as [`token`](Self::token) does, and if something else comes.
    pub fn bool(&mut self) -> Result<bool, ReadError> {
        match self.token()? {
            Token::Bool(value) => Ok(value),
            _ => Err(unexpected("true or false")),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], ReadError> {
        let (bytes, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Reads a length of 1, 2 or 4 bytes, whose logarithm is given.
    fn length(&mut self, width: u8) -> Result<u32, ReadError> {
        Ok(match width {
            0 => u8::from_be_bytes(self.take()?).into(),
            1 => u16::from_be_bytes(self.take()?).into(),
            _ => u32::from_be_bytes(self.take()?),
        })
    }

    fn str_of(&mut self, length: u32) -> Result<Token<'a>, ReadError> {
        let text = std::str::from_utf8(self.bytes(length)?);
        text.map(Token::Str).map_err(|_| ReadError::InvalidUtf8)
    }

    fn array_of(&mut self, count: u32) -> Result<Token<'a>, ReadError> {
        self.check_count(count.into())?;
        Ok(Token::Array(count))
    }

    fn map_of(&mut self, count: u32) -> Result<Token<'a>, ReadError> {
        self.check_count(2 * u64::from(count))?;
        Ok(Token::Map(count))
    }

    /// Each value has a byte at least.
    fn check_count(&self, values: u64) -> Result<(), ReadError> {
        match values <= self.rest.len() as u64 {
            true => Ok(()),
            false => Err(ReadError::Truncated),
        }
    }

    /// An `ArrayBuffer` of 8 bytes and a `Date` have the same type and length, so it matters whether the marker says the length.
    fn extension(&mut self, length: u32, is_fixed: bool) -> Result<Token<'a>, ReadError> {
        let kind = i8::from_be_bytes(self.take()?);
        let data = self.bytes(length)?;
        Ok(match (kind, data, is_fixed) {
            (0, [_], true) => Token::Nil,
            (0, &[a, b, c, d, e, f, g, h], true) => {
                Token::Date(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            (0, data, false) => Token::Bin(data),
            (-1, data, _) => timestamp(data).map_or(Token::Ext { kind, data }, Token::Date),
            (kind, data, _) => Token::Ext { kind, data },
        })
    }
}

fn unexpected(expected: &'static str) -> ReadError {
    ReadError::Unexpected { expected }
}

/// The timestamp of the specification, which tells its three forms apart by their length.
fn timestamp(data: &[u8]) -> Option<i64> {
    let (seconds, nanoseconds) = match data.len() {
        4 => (u32::from_be_bytes(data.try_into().ok()?).into(), 0),
        8 => {
            let both = u64::from_be_bytes(data.try_into().ok()?);
            ((both & ((1 << 34) - 1)) as i64, (both >> 34) as u32)
        }
        12 => {
            let (nanoseconds, seconds) = data.split_first_chunk()?;
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            (seconds, u32::from_be_bytes(*nanoseconds))
        }
        _ => return None,
    };
    Some(
        seconds
            .saturating_mul(1_000)
            .saturating_add((nanoseconds / 1_000_000).into()),
    )
}
