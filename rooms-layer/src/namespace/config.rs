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
}

impl Default for NamespaceConfig {
    fn default() -> Self {
        Self {
            max_running_handlers: 64,
            max_parked_bytes: 256 * 1024,
            ack_timeout: Duration::from_secs(20),
        }
    }
}
