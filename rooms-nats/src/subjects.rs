//! Where messages go: names that people and clients choose, as subjects of NATS.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The version of the subjects and of what is sent to them. Servers of different versions do not hear each other.
const VERSION: u8 = 1;
/// The longest name that stands in a subject as it is.
const LONGEST: usize = 128;
/// The length of a socket's id.
const ID_LENGTH: usize = 20;

/// The subjects of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    prefix: Box<str>,
}

impl Subjects {
    /// Those that begin with a prefix, which must be one or more tokens of NATS.
    pub(crate) fn new(prefix: &str) -> Option<Self> {
        let is_token = |token: &str| {
            !token.is_empty()
                && token
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"*>".contains(&byte))
        };
        let is_valid =
            prefix.len() <= LONGEST && prefix.split('.').all(is_token) && !prefix.starts_with('$');
        is_valid.then(|| Self {
            prefix: format!("{prefix}.{VERSION}").into(),
        })
    }

    /// What concerns all servers, whatever their namespaces.
    pub(crate) fn servers(&self) -> String {
        format!("{}.servers", self.prefix)
    }

    /// What concerns one server.
    pub(crate) fn server(&self, id: &str) -> String {
        format!("{}.server.{id}", self.prefix)
    }

    /// Where JetStream brings a server what it reads.
    pub(crate) fn inbox(&self, id: &str) -> String {
        format!("{}.inbox.{id}.{:08x}", self.prefix, rand::random::<u32>())
    }

    /// Where nobody listens, so that NATS itself says so at once.
    pub(crate) fn nobody(&self, id: &str) -> String {
        format!("{}.nobody.{id}", self.prefix)
    }

    /// What concerns everybody in a namespace.
    pub(crate) fn namespace(&self, namespace: &str) -> String {
        format!("{}.all.{}", self.prefix, token(namespace))
    }

    /// What concerns one room; `None` for rooms that have no subject of their own.
    pub(crate) fn room(&self, namespace: &str, room: &str) -> Option<String> {
        has_subject(room)
            .then(|| format!("{}.room.{}.{}", self.prefix, token(namespace), token(room)))
    }

    /// The recorded broadcasts of a namespace.
    pub(crate) fn log(&self, namespace: &str) -> String {
        format!("{}.log.{}", self.prefix, token(namespace))
    }

    /// The recorded broadcasts of all namespaces.
    pub(crate) fn logs(&self) -> String {
        format!("{}.log.*", self.prefix)
    }

    /// The name of what JetStream keeps for this cluster, which may hold no dots.
    pub(crate) fn store(&self, what: &str) -> String {
        format!("{}_{what}", token(&self.prefix).replace('=', "-"))
    }
}

/// Whether a room has a subject of its own.
///
/// Each socket is in a room named by its id, and a subscription costs a server of ours 5 kB: too much for every socket.
/// So what goes to a single socket goes to every server. So does what goes to a room whose name could be an id: who sends can't
/// tell which it is.
pub(crate) fn has_subject(room: &str) -> bool {
    let is_id = room.len() == ID_LENGTH
        && room
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    !is_id
}

/// A name as one token of a subject. Different names have different tokens.
fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len() + 8);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b':' | b'/' => {
                token.push(byte.into())
            }
            _ => write!(token, "={byte:02x}").expect("a string takes everything"),
        }
        if token.len() > LONGEST {
            return digest(name);
        }
    }
    match token.is_empty() {
        // Where an escape has two digits.
        true => "=".to_owned(),
        false => token,
    }
}

/// The token of a long name. It begins as no other does.
fn digest(name: &str) -> String {
    let mut token = String::from("==");
    for byte in Sha256::digest(name) {
        write!(token, "{byte:02x}").expect("a string takes everything");
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subjects() -> Subjects {
        Subjects::new("rooms").expect("a token")
    }

    #[test]
    fn names_can_be_read_in_their_subjects() {
        let subjects = subjects();
        for (namespace, room, expected) in [
            ("/", "project:42", "rooms.1.room./.project:42"),
            ("/chat", "a.b", "rooms.1.room./chat.a=2eb"),
            ("/", "*", "rooms.1.room./.=2a"),
            ("/", ">", "rooms.1.room./.=3e"),
            ("/", "", "rooms.1.room./.="),
            ("/", "a b=", "rooms.1.room./.a=20b=3d"),
            ("/", "ü", "rooms.1.room./.=c3=bc"),
        ] {
            assert_eq!(subjects.room(namespace, room).as_deref(), Some(expected));
        }
        assert_eq!(subjects.namespace("/a.b"), "rooms.1.all./a=2eb");
    }

    #[test]
    fn long_names_become_short_tokens() {
        let long = "a".repeat(LONGEST + 1);
        let token = token(&long);
        assert!(token.starts_with("=="), "{token}");
        assert_eq!(token.len(), 66);
        assert_eq!(super::token(&long[1..]), long[1..], "as long as may be");
    }

    #[test]
    fn what_may_be_the_id_of_a_socket_has_no_subject() {
        for (room, expected) in [
            ("0123456789abcdefghij", false),
            ("-_23456789ABCDEFGHIJ", false),
            ("0123456789abcdefghi", true),
            ("0123456789abcdefghijk", true),
            ("0123456789:bcdefghij", true),
        ] {
            assert_eq!(has_subject(room), expected, "{room}");
        }
    }

    #[test]
    fn a_prefix_is_made_of_tokens() {
        for prefix in ["rooms", "a.b", "a-b_c"] {
            assert!(Subjects::new(prefix).is_some(), "{prefix}");
        }
        for prefix in ["", ".", "a.", "a..b", "a b", "*", "a.>", "$JS", "ü"] {
            assert!(Subjects::new(prefix).is_none(), "{prefix}");
        }
    }

    #[test]
    fn stores_have_names_that_jetstream_takes() {
        let name = Subjects::new("a.b").expect("tokens").store("log");
        assert_eq!(name, "a-2eb-2e1_log");
    }

    proptest! {
        #[test]
        fn every_name_is_one_token(name in any::<String>()) {
            let token = token(&name);
            prop_assert!(!token.is_empty() && token.len() <= LONGEST + 2);
            prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic() && !b".*>".contains(&byte)));
        }

        #[test]
        fn different_names_have_different_tokens(one in "[a=*. ü]{0,4}", other in "[a=*. ü]{0,4}") {
            prop_assert_eq!(token(&one) == token(&other), one == other);
        }
    }
}
