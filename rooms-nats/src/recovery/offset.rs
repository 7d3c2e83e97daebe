//! The place of a broadcast in the log, as clients hold it.

use std::fmt::Write;

/// A place that can be told from the same place in a log that was lost and begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offset {
    /// Which log: when its stream was made.
    pub(super) epoch: u64,
    /// Where in it.
    pub(super) sequence: u64,
    /// Which message: a log that has lost its end gives the same places again.
    pub(super) mark: u64,
}

impl Offset {
    /// What a message is known by: who sent it, and which of theirs it is.
    pub(super) fn mark(from: &str, number: u64) -> u64 {
        // FNV-1a: nobody gains anything by two messages with the same mark, and it is the same on every machine.
        let bytes = from.bytes().chain(number.to_be_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |mark: u64, byte| {
            (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    pub(super) fn write(&self) -> Box<str> {
        let mut text = String::new();
        let Self {
            epoch,
            sequence,
            mark,
        } = self;
        write!(text, "{epoch:x}-{sequence:x}-{mark:x}").expect("a string takes everything");
        text.into()
    }

    /// Reads what a client shows, who may show anything.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = || {
            let part = parts.next()?;
            // No signs, which the parser would take.
            let is_plain = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_plain.then(|| u64::from_str_radix(part, 16).ok())?
        };
        let offset = Self {
            epoch: number()?,
            sequence: number()?,
            mark: number()?,
        };
        parts.next().is_none().then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_messages_have_other_marks() {
        let marks = [("a", 1), ("a", 2), ("b", 1), ("", 0)]
            .map(|(from, number)| Offset::mark(from, number));
        let mut different = marks.to_vec();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), marks.len());
    }

    #[test]
    fn what_is_no_offset_is_none() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "-1-2-3",
            "+1-2-3",
            "1-2-g",
            "1-2-11111111111111111",
        ] {
            assert_eq!(Offset::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn offsets_are_read_as_they_were_written(epoch: u64, sequence: u64, mark: u64) {
            let offset = Offset { epoch, sequence, mark };
            prop_assert_eq!(Offset::read(&offset.write()), Some(offset));
        }

        #[test]
        fn nothing_that_a_client_shows_panics(text: String) {
            let _ = Offset::read(&text);
        }
    }
}
