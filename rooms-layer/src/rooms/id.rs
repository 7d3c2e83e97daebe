use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::token;

/// Names one socket to everybody: the public id that clients see and that also names the socket's own room.
///
/// Ids made here are 20 url-safe characters. Ids that arrive from other servers are taken as they are.
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
        Box::<str>::deserialize(deserializer).map(|id| Self(id.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_twenty_url_safe_characters() {
        let id = SocketId::random();
        assert_eq!(id.as_str().len(), token::LEN);
        assert!(
            id.as_str()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }

    #[test]
    fn an_id_travels_as_a_string() {
        for text in ["", "a", "Q7tEcaY\u{e9}\"", "0123456789abcdefghij"] {
            let id = SocketId::from(text);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<SocketId>(&json).unwrap(), id);
        }
        assert!(serde_json::from_str::<SocketId>("7").is_err());
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
