use crate::{
    engine::EngineConfig,
    namespace::{NamespaceConfig, Parsers},
    transport::{HttpConfig, Origins, Transports},
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
    /// Settings of what is HTTP: the path, who may connect, and what the answers carry. The path is `/socket.io/`, where every
    /// client looks.
    pub http: HttpConfig,
    /// Settings of the connections.
    pub engine: EngineConfig,
    /// Settings of the namespaces.
    pub namespace: NamespaceConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: HttpConfig::default().path("/socket.io/"),
            engine: EngineConfig::default(),
            namespace: NamespaceConfig::default(),
        }
    }
}

impl Config {
    /// Sets [`path`](HttpConfig::path); a slash that is missing at its end is added.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        self.http(|http| http.path(path))
    }

    /// Sets [`origins`](HttpConfig::origins).
    #[must_use]
    pub fn origins(self, origins: Origins) -> Self {
        self.http(|http| http.origins(origins))
    }

    /// Sets [`transports`](HttpConfig::transports).
    #[must_use]
    pub fn transports(self, transports: Transports) -> Self {
        self.http(|http| http.transports(transports))
    }

    /// Changes the other settings of what is HTTP: who may open a connection, ids, cookies and headers.
    ///
    /// ```
    /// # use rooms_layer::{Config, HandshakeCookie};
    /// let config = Config::default().http(|http| http.cookie(HandshakeCookie::default()).max_handshakes(500));
    /// ```
    #[must_use]
    pub fn http(mut self, change: impl FnOnce(HttpConfig) -> HttpConfig) -> Self {
        self.http = change(self.http);
        self
    }

    /// Sets [`allow_eio3`](HttpConfig::allow_eio3).
    #[must_use]
    pub fn allow_eio3(self, allow: bool) -> Self {
        self.http(|http| http.allow_eio3(allow))
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
        self.http.kept_extensions.keep::<T>();
        self
    }

    /// What can't work, in words that name the setting.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let takes_json = self.namespace.parsers != Parsers::Msgpack;
        if self.http.allow_eio3 && !takes_json {
            return Some(
                "`allow_eio3` needs `parsers` to allow JSON, which is all that those clients are served in",
            );
        }
        let below = self.http.problem().or_else(|| self.engine.problem());
        below.or_else(|| self.namespace.problem())
    }
}
