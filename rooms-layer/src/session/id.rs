use std::fmt;

use crate::token;

/// The Engine.IO session id: the bearer secret by which a client's requests are known to belong together.
///
/// Whoever has it can read and write as the client. So it differs from the socket's public id, and neither prints nor
/// logs itself: [`reveal`](Self::reveal) marks the few places that hand it to its owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; token::LEN]);

impl SessionId {
    /// Makes an id that nobody can guess and nobody else has.
    pub(crate) fn random() -> Self {
        Self(token::random())
    }

    /// Reads an id that a client presents. Text of another shape is the id of no session of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let token = text.as_bytes().try_into().ok()?;
        text.is_ascii().then_some(Self(token))
    }

    /// Returns the secret as text, for the client that it belongs to.
    pub(crate) fn reveal(&self) -> &str {
        str::from_utf8(&self.0).expect("tokens are made of and checked to be ASCII")
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_presents_what_it_was_given() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(id.reveal()), Some(id));
        assert_ne!(SessionId::random(), id);
    }

    #[test]
    fn other_shapes_belong_to_no_session() {
        for text in [
            "",
            "abc",
            "0123456789abcdefghi",
            "0123456789abcdefghijk",
            "0123456789abcdefgh\u{e9}",
        ] {
            assert_eq!(SessionId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn debug_keeps_the_secret() {
        assert_eq!(format!("{:?}", SessionId::random()), "SessionId(..)");
    }
}
