use crate::{
    engine::EngineConfig,
    namespace::{NamespaceConfig, Parsers},
    transport::{Origins, Transports},
};
use std::time::Duration;

/// Settings of a server. Each part is owned by the floor that obeys it; this puts them together.
///
/// ```
/// # use rooms_layer::{Config, RoomsLayer};
/// # use std::time::Duration;
/// let config = Config::default()
///     .path("/live/")
///     .ping_interval(Duration::from_secs(10))
///     .max_payload(64 * 1024);
/// let rooms = RoomsLayer::new().config(config);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Requests whose path begins with this are ours. Default `/socket.io/`, where every client looks. It begins and ends
    /// with a slash.
    pub path: String,
    /// Which pages may connect. Default: those of this server.
    pub origins: Origins,
    /// What clients may connect by. Default: long-polling and WebSocket.
    pub transports: Transports,
    /// Whether clients of Socket.IO 1 and 2, which speak Engine.IO 3, may connect too. Default false: they are older than 2020,
    /// and they take the secret of their session for the id of their socket, which they should tell nobody.
    pub allow_eio3: bool,
    /// Settings of the connections.
    pub engine: EngineConfig,
    /// Settings of the namespaces.
    pub namespace: NamespaceConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            origins: Origins::default(),
            transports: Transports::default(),
            allow_eio3: false,
            engine: EngineConfig::default(),
            namespace: NamespaceConfig::default(),
        }
    }
}

impl Config {
    /// Sets [`path`](Self::path); a slash that is missing at its end is added.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        if !self.path.ends_with('/') {
            self.path.push('/');
        }
        self
    }

    /// Sets [`origins`](Self::origins).
    #[must_use]
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Sets [`transports`](Self::transports).
    #[must_use]
    pub fn transports(mut self, transports: Transports) -> Self {
        self.transports = transports;
        self
    }

    /// Sets [`allow_eio3`](Self::allow_eio3).
    #[must_use]
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.allow_eio3 = allow;
        self
    }

    /// Sets [`ping_interval`](EngineConfig::ping_interval).
    #[must_use]
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.engine.ping_interval = interval;
        self
    }

    /// Sets [`ping_timeout`](EngineConfig::ping_timeout).
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.engine.ping_timeout = timeout;
        self
    }

    /// Sets [`max_payload`](crate::wire::Limits::max_payload), in bytes.
    #[must_use]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.engine.limits.max_payload = bytes;
        self
    }

    /// Sets [`max_queued_packets`](EngineConfig::max_queued_packets).
    #[must_use]
    pub fn max_queued_packets(mut self, packets: usize) -> Self {
        self.engine.max_queued_packets = packets;
        self
    }

    /// Sets [`max_queued_bytes`](EngineConfig::max_queued_bytes).
    #[must_use]
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.engine.max_queued_bytes = bytes;
        self
    }

    /// Sets [`max_running_handlers`](NamespaceConfig::max_running_handlers).
    #[must_use]
    pub fn max_running_handlers(mut self, handlers: usize) -> Self {
        self.namespace.max_running_handlers = handlers;
        self
    }

    /// Sets [`max_parked_bytes`](NamespaceConfig::max_parked_bytes).
    #[must_use]
    pub fn max_parked_bytes(mut self, bytes: usize) -> Self {
        self.namespace.max_parked_bytes = bytes;
        self
    }

    /// Sets [`ack_timeout`](NamespaceConfig::ack_timeout).
    #[must_use]
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.namespace.ack_timeout = timeout;
        self
    }

    /// Sets [`max_dynamic_namespaces`](NamespaceConfig::max_dynamic_namespaces).
    #[must_use]
    pub fn max_dynamic_namespaces(mut self, namespaces: usize) -> Self {
        self.namespace.max_dynamic_namespaces = namespaces;
        self
    }

    /// Sets [`max_joined_namespaces`](NamespaceConfig::max_joined_namespaces).
    #[must_use]
    pub fn max_joined_namespaces(mut self, namespaces: usize) -> Self {
        self.namespace.max_joined_namespaces = namespaces;
        self
    }

    /// Sets [`parsers`](NamespaceConfig::parsers).
    ///
    /// ```
    /// use rooms_layer::{Config, Parsers};
    ///
    /// let config = Config::default().parsers(Parsers::Both);
    /// # let _ = config;
    /// ```
    #[must_use]
    pub fn parsers(mut self, parsers: Parsers) -> Self {
        self.namespace.parsers = parsers;
        self
    }

    /// Keeps an extension of the HTTP request for as long as its connection lives, for
    /// [`HandshakeInfo::extension`](crate::HandshakeInfo::extension) and [`Extension`](crate::Extension): what a tower layer
    /// around ours has found out about the client. All other extensions go with the request.
    #[must_use]
    pub fn keep_extension<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.namespace.kept_extensions.keep::<T>();
        self
    }

    /// What can't work, in words that name the setting.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let path_is_absolute = self.path.starts_with('/') && self.path.ends_with('/');
        let origins =
            "`origins` lists something else than an origin such as `https://app.example.com`";
        let eio3_without_json = "`allow_eio3` needs `parsers` to allow JSON, which is all that those clients are served in";
        let takes_json = self.namespace.parsers != Parsers::Msgpack;
        let checks = [
            (self.origins.is_valid(), origins),
            (!self.allow_eio3 || takes_json, eio3_without_json),
            (path_is_absolute, "`path` must begin and end with a slash"),
            (
                !self.engine.ping_interval.is_zero(),
                "`ping_interval` must not be zero",
            ),
            (
                !self.engine.ping_timeout.is_zero(),
                "`ping_timeout` must not be zero",
            ),
            (
                self.engine.limits.max_payload > 0,
                "`max_payload` must not be zero",
            ),
            (
                self.engine.max_queued_packets > 0,
                "`max_queued_packets` must not be zero",
            ),
            (
                self.engine.max_queued_bytes > 0,
                "`max_queued_bytes` must not be zero",
            ),
            (
                self.namespace.max_running_handlers > 0,
                "`max_running_handlers` must not be zero",
            ),
            (
                self.namespace.max_parked_bytes > 0,
                "`max_parked_bytes` must not be zero",
            ),
            (
                self.namespace.max_joined_namespaces > 0,
                "`max_joined_namespaces` must not be zero",
            ),
        ];
        checks
            .iter()
            .find(|(fine, _)| !fine)
            .map(|(_, problem)| *problem)
    }
}
