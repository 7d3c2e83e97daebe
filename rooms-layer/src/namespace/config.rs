use crate::wire::socket_io::Parsers;
use std::time::Duration;

/// Settings of the namespaces.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NamespaceConfig {
    /// How many handlers may be under way for one connection at a time. Default 64. Events beyond it wait; acknowledgements
    /// and disconnects do not.
    pub max_running_handlers: usize,
    /// How many bytes of events may wait for a handler of their connection. Default 256 KiB. Beyond it the connection is not
    /// read any more until a handler ends. One larger event is still taken when nothing else waits.
    pub max_parked_bytes: usize,
    /// How long an acknowledgement is waited for where the emit does not say. Default 20 s.
    pub ack_timeout: Duration,
    /// How many dynamic namespaces may exist at a time. Default 10,000. A client that asks for one more reads "too many
    /// namespaces" in `connect_error`.
    pub max_dynamic_namespaces: usize,
    /// How many namespaces one connection may be in at a time. Default 100. A client that asks for one more reads the same.
    pub max_joined_namespaces: usize,
    /// How many CONNECT packets one connection may send in a second, and as many at once; those that are refused count too.
    /// Default 100. One more ends the connection. Below `max_joined_namespaces`, a client that joins as many as it may in one go
    /// is cut off; without a ceiling, a client could have `authorize` run without end.
    pub max_connects_per_second: u32,
    /// How many rooms one socket may be in at a time, its own not counted. Default 1,000. Joining one more changes nothing, and
    /// is logged: it is the application that joins, so nobody is disconnected. Where clients choose their rooms, a ceiling keeps
    /// them from filling the memory with rooms.
    pub max_rooms: usize,
    /// The length of a room's name, in bytes. Default 1,024. A longer one is not joined, as with `max_rooms`.
    pub max_room_name: usize,
    /// How many acknowledgements one socket may owe at a time. Default 10,000. One more is not asked for
    /// ([`AckError::TooMany`](crate::AckError::TooMany)): a client that never answers costs memory for each until its timeout.
    pub max_pending_acks: usize,
    /// How many events of other servers may be handled at a time, of all namespaces together. Default 16,384. One more is dropped,
    /// which is logged and counted: who publishes to a bus can't be slowed down. Below what other servers tell in one go, some of
    /// that is lost; without a ceiling, a server that tells too much would fill the memory of all others.
    pub max_server_events: usize,
    /// How many bytes these events may have together. Default 64 MiB. One larger event is still taken when no other is being
    /// handled.
    pub max_server_event_bytes: usize,
    /// Which formats clients may speak. Default: JSON alone, which every client speaks unless it is told otherwise, and which is
    /// the faster one here: payloads are JSON inside, so that what comes in msgpack is rewritten.
    pub parsers: Parsers,
}

impl Default for NamespaceConfig {
    fn default() -> Self {
        Self {
            max_running_handlers: 64,
            max_parked_bytes: 256 * 1024,
            ack_timeout: Duration::from_secs(20),
            max_dynamic_namespaces: 10_000,
            max_joined_namespaces: 100,
            max_connects_per_second: 100,
            max_rooms: 1_000,
            max_room_name: 1_024,
            max_pending_acks: 10_000,
            max_server_events: 16_384,
            max_server_event_bytes: 64 * 1024 * 1024,
            parsers: Parsers::default(),
        }
    }
}

impl NamespaceConfig {
    /// What can't work, in words that name the setting.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let checks = [
            (
                self.max_running_handlers,
                "`max_running_handlers` must not be zero",
            ),
            (self.max_parked_bytes, "`max_parked_bytes` must not be zero"),
            (
                self.max_joined_namespaces,
                "`max_joined_namespaces` must not be zero",
            ),
            (
                self.max_connects_per_second as usize,
                "`max_connects_per_second` must not be zero",
            ),
            (
                self.max_server_events,
                "`max_server_events` must not be zero: no server would hear another one",
            ),
        ];
        let problem = checks.into_iter().find(|(setting, _)| *setting == 0)?;
        Some(problem.1)
    }
}
