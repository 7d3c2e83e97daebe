//! Text that is checked while it arrives.

use super::WebSocketError;

/// A text of which only a part has arrived: a valid string, and the first bytes of the next character.
///
/// A bad byte is refused with the piece that brings it (RFC 6455, section 8.1), and no byte is looked at again once
/// it is in the string.
#[derive(Debug, Default)]
pub(super) struct PartialText {
    text: String,
    /// A character takes at most four bytes, so an unfinished one has at most three.
    tail: [u8; 3],
    tail_len: u8,
}

impl PartialText {
    pub(super) fn len(&self) -> usize {
        self.text.len() + usize::from(self.tail_len)
    }

    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// The text, provided that it does not end inside a character.
    pub(super) fn finished(&self) -> Option<&str> {
        (self.tail_len == 0).then_some(self.text.as_str())
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), WebSocketError> {
        let piece = self.complete_tail(piece)?;
        let rest = match std::str::from_utf8(piece) {
            Ok(text) => {
                self.text.push_str(text);
                return Ok(());
            }
            Err(error) if error.error_len().is_some() => return Err(WebSocketError::InvalidUtf8),
            Err(error) => {
                let (valid, rest) = piece.split_at(error.valid_up_to());
                self.text
                    .push_str(std::str::from_utf8(valid).expect("checked just now"));
                rest
            }
        };
        self.tail[..rest.len()].copy_from_slice(rest);
        self.tail_len = rest.len() as u8;
        Ok(())
    }

    /// Takes from the front of `piece` what the unfinished character lacks.
    fn complete_tail<'a>(&mut self, mut piece: &'a [u8]) -> Result<&'a [u8], WebSocketError> {
        while self.tail_len > 0 {
            let Some((&next, rest)) = piece.split_first() else {
                return Ok(piece);
            };
            piece = rest;
            let held = usize::from(self.tail_len);
            let mut character = [0; 4];
            character[..held].copy_from_slice(&self.tail[..held]);
            character[held] = next;
            match std::str::from_utf8(&character[..=held]) {
                Ok(text) => {
                    self.text.push_str(text);
                    self.tail_len = 0;
                }
                Err(error) if error.error_len().is_some() => {
                    return Err(WebSocketError::InvalidUtf8);
                }
                Err(_) => {
                    self.tail[held] = next;
                    self.tail_len += 1;
                }
            }
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PartialText;

    /// The outcome of pushing `pieces` one by one: the text, or how many bytes had been pushed when it failed.
    fn push_all<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Option<String>, usize> {
        let mut partial = PartialText::default();
        let mut pushed = 0;
        for piece in pieces {
            pushed += piece.len();
            partial.push(piece).map_err(|_| pushed)?;
            assert_eq!(partial.len(), pushed);
        }
        Ok(partial.finished().map(str::to_owned))
    }

    #[test]
    fn fails_with_the_first_bad_byte() {
        for (bytes, bad) in [
            (&b"\xc0\x80"[..], 1),
            (b"ab\xff", 3),
            (b"\xe0\x80\x80", 2),
            (b"\xed\xa0\x80", 2),
            (b"\xf4\x90\x80\x80", 2),
            (b"\xf0\x9f\x92A", 4),
            (b"\xce\xba\x80", 3),
        ] {
            assert_eq!(push_all(bytes.chunks(1)), Err(bad), "{bytes:x?}");
        }
    }

    #[test]
    fn an_unfinished_character_is_not_text() {
        for bytes in [&b"\xce"[..], b"a\xf0\x9f\x92"] {
            assert_eq!(push_all(bytes.chunks(1)), Ok(None), "{bytes:x?}");
            assert_eq!(push_all(bytes.chunks(9)), Ok(None), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "\\PC{0,20}", size in 1usize..7) {
            prop_assert_eq!(push_all(text.as_bytes().chunks(size)), Ok(Some(text.clone())));
        }

        #[test]
        fn agrees_with_the_standard_library(bytes in prop::collection::vec(prop::sample::select(
            vec![0x41u8, 0x80, 0x8f, 0x90, 0xa0, 0xbf, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4, 0xff]), 0..12), size in 1usize..7)
        {
            let outcome = push_all(bytes.chunks(size)).ok().flatten();
            prop_assert_eq!(outcome, String::from_utf8(bytes).ok());
        }
    }
}
