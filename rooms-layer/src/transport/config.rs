use super::{HandshakeCookie, Hooks, Origins, Refusal, Rules, Transports};
use crate::handshake::KeptExtensions;
use http::{HeaderMap, request::Parts};
use std::future::Future;

/// Settings of what is HTTP: which requests are ours, who may connect, and what the answers carry.
///
/// ```
/// use http::{HeaderValue, header, request::Parts};
/// use rooms_layer::{HandshakeCookie, HttpConfig, Refusal};
/// use std::future::ready;
///
/// let http = HttpConfig::default()
///     .allow_request(|head: &Parts| {
///         let known = head.headers.contains_key("x-api-key");
///         ready(known.then_some(()).ok_or(Refusal::new("an API key is needed")))
///     })
///     .headers(|_, headers| {
///         headers.insert(header::SERVER, HeaderValue::from_static("rooms"));
///     })
///     .cookie(HandshakeCookie::default())
///     .max_handshakes(500);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpConfig {
    /// Requests whose path begins with this are ours. It begins and ends with a slash. Default `/engine.io/`, where clients of
    /// Engine.IO look; that of a [`Config`](crate::Config) is `/socket.io/`.
    pub path: String,
    /// Which pages may connect. Default: those of this server.
    pub origins: Origins,
    /// What clients may connect by. Default: long-polling and WebSocket.
    pub transports: Transports,
    /// Whether clients of Socket.IO 1 and 2, which speak Engine.IO 3, may connect too. Default false: they are older than 2020,
    /// and they take the secret of their session for the id of their socket, which they should tell nobody.
    pub allow_eio3: bool,
    /// How many handshakes may be under way at a time: those whose [`allow_request`](Self::allow_request) is not decided, and
    /// WebSockets that the HTTP server has not handed over or that have not taken over from polling yet. Default 4,096. One more
    /// is answered with 503. Each may hold a descriptor, so it should be below what the process may open; too small a number
    /// turns healthy clients away when all of them come back at once.
    pub max_handshakes: usize,
    /// The cookie that the handshake of a client that polls sets. Default: none.
    pub cookie: Option<HandshakeCookie>,
    /// Which extensions of the HTTP request are kept for as long as its connection lives. Default: none.
    pub kept_extensions: KeptExtensions,
    pub(super) hooks: Hooks,
}

/// Settings that can't work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) &'static str);

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            path: "/engine.io/".to_owned(),
            origins: Origins::default(),
            transports: Transports::default(),
            allow_eio3: false,
            max_handshakes: 4_096,
            cookie: None,
            kept_extensions: KeptExtensions::default(),
            hooks: Hooks::default(),
        }
    }
}

impl HttpConfig {
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

    /// Sets [`max_handshakes`](Self::max_handshakes).
    #[must_use]
    pub fn max_handshakes(mut self, handshakes: usize) -> Self {
        self.max_handshakes = handshakes;
        self
    }

    /// Sets [`cookie`](Self::cookie).
    #[must_use]
    pub fn cookie(mut self, cookie: HandshakeCookie) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// Keeps an extension of the HTTP request for as long as its connection lives, for
    /// [`HandshakeInfo::extension`](crate::HandshakeInfo::extension).
    #[must_use]
    pub fn keep_extension<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.kept_extensions.keep::<T>();
        self
    }

    /// Asks the application about each handshake: about a request without a `sid` that has passed all other checks, by either
    /// transport. What it refuses is answered with 403, code 4 and the message of the [`Refusal`]. Set once; the last one counts.
    ///
    /// The closure reads what it needs of the request's head and returns a future: `std::future::ready(..)` where there is
    /// nothing to wait for. Whoever waits counts among [`max_handshakes`](Self::max_handshakes). When the client goes away, the
    /// future is dropped; a panic cuts that client's HTTP connection.
    ///
    /// Requests of a connection that is open are not asked about, and no one is by
    /// [`RoomsLayer::accept`](crate::RoomsLayer::accept). Who may join a namespace is for
    /// [`authorize`](crate::Serve::authorize) to say, which also sees `auth`.
    ///
    /// ```
    /// # use http::request::Parts;
    /// # use rooms_layer::{HttpConfig, Refusal};
    /// # async fn is_banned(address: String) -> bool { false }
    /// HttpConfig::default().allow_request(|head: &Parts| {
    ///     let address = head.headers.get("x-real-ip").and_then(|value| value.to_str().ok());
    ///     let address = address.unwrap_or_default().to_owned();
    ///     async move {
    ///         match is_banned(address).await {
    ///             true => Err(Refusal::new("come back tomorrow")),
    ///             false => Ok(()),
    ///         }
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn allow_request<F, Fut>(mut self, decide: F) -> Self
    where
        F: Fn(&Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.hooks.set_allow(decide);
        self
    }

    /// Makes the ids of sessions, in place of 120 random bits. Set once; the last one counts.
    ///
    /// The id is a secret: whoever knows it can read and write as the client, so it has to be as hard to guess. It is 1 to 128
    /// characters of `A-Z a-z 0-9 - . _ ~`. A handshake that gets any other, or the id of a connection that is open, is answered
    /// with 400, code 3, and an error in the log. [`RoomsLayer::accept`](crate::RoomsLayer::accept) makes random ones.
    #[must_use]
    pub fn generate_id<F>(mut self, generate: F) -> Self
    where
        F: Fn(&Parts) -> String + Send + Sync + 'static,
    {
        self.hooks.set_generate_id(generate);
        self
    }

    /// Adds headers to the first response of each connection, a 101 among them. What the closure inserts replaces what is there,
    /// but for `Set-Cookie`, which is added. Set once; the last one counts.
    #[must_use]
    pub fn initial_headers<F>(mut self, add: F) -> Self
    where
        F: Fn(&Parts, &mut HeaderMap) + Send + Sync + 'static,
    {
        self.hooks.set_initial_headers(add);
        self
    }

    /// Adds headers to every response of the layer, refusals among them, as [`initial_headers`](Self::initial_headers) does. It is
    /// called when the request arrives.
    #[must_use]
    pub fn headers<F>(mut self, add: F) -> Self
    where
        F: Fn(&Parts, &mut HeaderMap) + Send + Sync + 'static,
    {
        self.hooks.set_headers(add);
        self
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            origins: self.origins.clone(),
            transports: self.transports,
            allow_eio3: self.allow_eio3,
        }
    }

    /// What can't work, in words that name the setting.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let path_is_absolute = self.path.starts_with('/') && self.path.ends_with('/');
        if !self.origins.is_valid() {
            return Some(
                "`origins` lists something else than an origin such as `https://app.example.com`",
            );
        }
        if !path_is_absolute {
            return Some("`path` must begin and end with a slash");
        }
        if self.max_handshakes == 0 {
            return Some("`max_handshakes` must not be zero");
        }
        self.cookie.as_ref().and_then(HandshakeCookie::problem)
    }
}
