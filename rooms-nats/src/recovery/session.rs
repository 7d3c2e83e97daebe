//! A session as it is stored: msgpack, `[1, namespace, socket, owner, gone | nil, [room...]]`.

use bytes::Bytes;
use rooms_layer::{
    SocketId,
    wire::msgpack::{ReadError, Reader, Token, Writer},
};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

const VERSION: u64 = 1;

/// What a client that comes back is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) namespace: Box<str>,
    pub(super) socket: SocketId,
    /// The server that the socket is or was on.
    pub(super) owner: Box<str>,
    /// When it went, since 1970 and by the clock of its server, which is nothing to rely on: when the entry was written counts.
    /// `None` while it is there, and for ever if its server died.
    pub(super) gone: Option<Duration>,
    pub(super) rooms: Vec<Box<str>>,
}

impl Session {
    pub(super) fn write(&self) -> Bytes {
        let mut out = Writer::new();
        out.array(6);
        out.uint(VERSION);
        out.str(&self.namespace);
        out.str(self.socket.as_str());
        out.str(&self.owner);
        match self.gone {
            Some(gone) => out.uint(gone.as_millis().try_into().unwrap_or(u64::MAX)),
            None => out.nil(),
        }
        out.array(self.rooms.len().try_into().unwrap_or(u32::MAX));
        self.rooms.iter().for_each(|room| out.str(room));
        out.into_bytes().into()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut input = Reader::new(bytes);
        let fields = input.array()?;
        if fields < 6 || input.uint()? != VERSION {
            return Err(ReadError::Unexpected {
                expected: "a session of version 1",
            });
        }
        Ok(Self {
            namespace: input.str()?.into(),
            socket: input.str()?.into(),
            owner: input.str()?.into(),
            gone: match input.token()? {
                Token::Nil => None,
                Token::Int(gone) => Some(Duration::from_millis(gone.try_into().unwrap_or(0))),
                _ => {
                    return Err(ReadError::Unexpected {
                        expected: "a time or nil",
                    });
                }
            },
            rooms: {
                let count = input.array()?;
                let rooms = (0..count).map(|_| Ok(input.str()?.into()));
                rooms.collect::<Result<_, ReadError>>()?
            },
        })
    }
}

/// Where the session with a token is stored. Who can read what is stored can't come back as somebody else.
pub(super) fn key(token: &str) -> Box<str> {
    let mut key = String::with_capacity(64);
    for byte in Sha256::digest(token) {
        write!(key, "{byte:02x}").expect("a string takes everything");
    }
    key.into()
}

/// The time since 1970, by the clock on the wall.
pub(super) fn now() -> Duration {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn session(gone: Option<Duration>) -> Session {
        Session {
            namespace: "/".into(),
            socket: "s".into(),
            owner: "o".into(),
            gone,
            rooms: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn sessions_are_read_as_they_were_written() {
        for gone in [None, Some(Duration::from_millis(1_795_149_263_970))] {
            let session = session(gone);
            assert_eq!(Session::read(&session.write()).expect("a session"), session);
        }
    }

    /// Servers of other versions read them while a cluster is upgraded.
    #[test]
    fn sessions_are_these_bytes() {
        for (gone, expected) in [
            (None, &b"\x96\x01\xa1/\xa1s\xa1o\xc0\x92\xa1a\xa1b"[..]),
            (
                Some(Duration::from_secs(1)),
                b"\x96\x01\xa1/\xa1s\xa1o\xcd\x03\xe8\x92\xa1a\xa1b",
            ),
        ] {
            assert_eq!(session(gone).write(), expected);
            assert_eq!(Session::read(expected).expect("a session"), session(gone));
        }
    }

    #[test]
    fn the_token_is_not_in_its_key() {
        assert_eq!(key("secret").len(), 64);
        assert!(!key("secret").contains("secret"));
        assert_ne!(key("secret"), key("secret "));
    }

    proptest! {
        #[test]
        fn nothing_that_is_stored_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Session::read(&bytes);
            let _ = Session::read(&[&[0x96, 1][..], &bytes].concat());
        }
    }
}
