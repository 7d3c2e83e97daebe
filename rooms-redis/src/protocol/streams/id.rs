//! The place of an entry in a stream.

use std::{fmt, str::FromStr};

/// The id of an entry: milliseconds and a number, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamId {
    millis: u64,
    number: u64,
}

impl StreamId {
    /// Before every entry.
    pub(crate) const ZERO: Self = Self {
        millis: 0,
        number: 0,
    };

    /// The smallest id behind this one; none behind the last of all.
    pub(crate) fn next(self) -> Option<Self> {
        let Self { millis, number } = self;
        match number.checked_add(1) {
            Some(number) => Some(Self { millis, number }),
            None => Some(Self {
                millis: millis.checked_add(1)?,
                number: 0,
            }),
        }
    }
}

/// A text is not an id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an entry")]
pub(crate) struct NoId;

impl FromStr for StreamId {
    type Err = NoId;

    fn from_str(text: &str) -> Result<Self, NoId> {
        // One text for each id: Redis writes no signs and no zeros in front.
        let number = |text: &str| {
            let number: u64 = text.parse().map_err(|_| NoId)?;
            let is_canonical = !text.starts_with('+') && (text == "0" || !text.starts_with('0'));
            is_canonical.then_some(number).ok_or(NoId)
        };
        let (millis, number_of) = text.split_once('-').ok_or(NoId)?;
        Ok(Self {
            millis: number(millis)?,
            number: number(number_of)?,
        })
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}
