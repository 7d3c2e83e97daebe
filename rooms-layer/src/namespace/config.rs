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
        ];
        let problem = checks.into_iter().find(|(setting, _)| *setting == 0)?;
        Some(problem.1)
    }
}
