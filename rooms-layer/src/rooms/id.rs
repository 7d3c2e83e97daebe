use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::token;

/// Names one socket to everybody: the public id that clients see and that also names the socket's own room.
///
/// An id is 20 url-safe characters. Reading one (`Deserialize`) refuses any other text: an id addresses its socket through the
/// room of that name, so a client that could present `project:1` as an id would reach a whole room.
///
/// This is not the Engine.IO session id, which is a secret between the server and one client.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(Arc<str>);

impl SocketId {
    /// Makes an id that nobody can guess and nobody else has.
    #[must_use]
    pub fn random() -> Self {
        let token = token::random();
        Self::from(str::from_utf8(&token).expect("base64url is ASCII"))
    }

    /// Stands for a socket of another server that did not say which one it is: Node's servers do not, when they pass on an
    /// acknowledgement. As a room it has no members.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::from("")
    }

    /// Tells whether it is not known which socket this is.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SocketId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for SocketId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// The name of the socket's own room, which shares the id's memory.
impl From<SocketId> for Arc<str> {
    fn from(id: SocketId) -> Self {
        id.0
    }
}

impl AsRef<str> for SocketId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for SocketId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketId").field(&self.as_str()).finish()
    }
}

impl Serialize for SocketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SocketId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = Box::<str>::deserialize(deserializer)?;
        match token::has_the_form(&id) {
            true => Ok(Self(id.into())),
            false => Err(de::Error::custom("not a socket id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_twenty_url_safe_characters() {
        let id = SocketId::random();
        assert!(token::has_the_form(id.as_str()));
    }

    #[test]
    fn an_id_travels_as_a_string() {
        let id = SocketId::random();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<SocketId>(&json).unwrap(), id);
    }

    #[test]
    fn nothing_else_passes_for_an_id() {
        for text in [
            "7",
            r#""""#,
            r#""lobby""#,
            r#""project:1""#,
            r#""user:0123456789abcde""#,
            r#""0123456789abcdefghi ""#,
            r#""0123456789abcdefghijk""#,
        ] {
            assert!(serde_json::from_str::<SocketId>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_prints_as_its_text() {
        let id = SocketId::from("abc");
        assert_eq!(
            format!("{id}|{id:>5}|{id:?}"),
            r#"abc|  abc|SocketId("abc")"#
        );
    }
}
