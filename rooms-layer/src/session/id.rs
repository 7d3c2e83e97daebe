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

    /// Reads what a client says is its id; `None` if no id looks like that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match token::has_the_form(text) {
            true => text.as_bytes().try_into().ok().map(Self),
            false => None,
        }
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
    fn no_two_ids_are_alike() {
        assert_ne!(SessionId::random(), SessionId::random());
    }

    #[test]
    fn ids_are_read_back_and_nothing_else() {
        let id = SessionId::random();
        assert!(SessionId::parse(id.reveal()) == Some(id));
        let long = format!("{}A", id.reveal());
        for text in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAé",
            &long,
        ] {
            assert!(SessionId::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_keeps_the_secret() {
        assert_eq!(format!("{:?}", SessionId::random()), "SessionId(..)");
    }
}
