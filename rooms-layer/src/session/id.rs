use std::fmt;

use crate::token;

/// The longest id that an application may give, in bytes. It travels in the query of every polling request.
const MAX_LEN: usize = 128;

/// The Engine.IO session id: the bearer secret by which a client's requests are known to belong together.
///
/// Whoever has it can read and write as the client. So it differs from the socket's public id, and neither prints nor
/// logs itself: [`reveal`](Self::reveal) marks the few places that hand it to its owner.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum SessionId {
    /// Of the form that we make. Whatever has this form is this variant, so that equal ids compare equal.
    Token([u8; token::LEN]),
    /// Of another form, which the application gave it.
    Other(Box<str>),
}

impl SessionId {
    /// Makes an id that nobody can guess and nobody else has.
    pub(crate) fn random() -> Self {
        Self::Token(token::random())
    }

    /// Reads an id: what a client says is its own, or what the application wants to be one. `None` if no id looks like that.
    ///
    /// An id is made of what needs no escape in a query (RFC 3986, section 2.3), since clients differ in what they escape.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if token::has_the_form(text) {
            return text.as_bytes().try_into().ok().map(Self::Token);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_id = (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(plain);
        is_id.then(|| Self::Other(text.into()))
    }

    /// Returns the secret as text, for the client that it belongs to.
    pub(crate) fn reveal(&self) -> &str {
        match self {
            Self::Token(token) => {
                str::from_utf8(token).expect("tokens are made of and checked to be ASCII")
            }
            Self::Other(text) => text,
        }
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
    use proptest::prelude::*;

    #[test]
    fn no_two_ids_are_alike() {
        assert_ne!(SessionId::random(), SessionId::random());
    }

    #[test]
    fn ids_are_read_back() {
        let random = SessionId::random();
        assert!(SessionId::parse(random.reveal()) == Some(random));
        let longest = "x".repeat(MAX_LEN);
        for text in ["7", "user-7.tab~2_b", "AAAAAAAAAAAAAAAAAAAA", &longest] {
            let id = SessionId::parse(text);
            assert_eq!(id.as_ref().map(SessionId::reveal), Some(text));
        }
    }

    #[test]
    fn what_would_not_travel_is_no_id() {
        let long = "x".repeat(MAX_LEN + 1);
        for text in [
            "",
            "a b",
            "a\n",
            "a%20",
            "a&b",
            "a+b",
            "a/b",
            "AAAAAAAAAAAAAAAAAAA=",
            "é",
            &long,
        ] {
            assert!(SessionId::parse(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_whole(text in "[A-Za-z0-9._~ %-]{0,140}") {
            if let Some(id) = SessionId::parse(&text) {
                prop_assert_eq!(id.reveal(), &text);
            }
        }
    }

    #[test]
    fn debug_keeps_the_secret() {
        assert_eq!(format!("{:?}", SessionId::random()), "SessionId(..)");
    }
}
