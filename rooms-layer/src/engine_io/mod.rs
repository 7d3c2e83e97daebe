//! Engine.IO by itself: a connection of text and binary messages over long-polling or WebSocket, with its heartbeat and limits,
//! and no Socket.IO on top. [`RoomsLayer`](crate::RoomsLayer) stands on the same floor.
//!
//! ```no_run
//! use rooms_layer::engine_io::{EngineLayer, EngineSocket, Handler, Message};
//!
//! struct Echo;
//!
//! impl Handler for Echo {
//!     async fn message(&self, socket: &EngineSocket, message: Message) {
//!         // Fails only where the client is gone.
//!         socket.send(message).ok();
//!     }
//! }
//!
//! # async fn serve() -> std::io::Result<()> {
//! let app: axum::Router = axum::Router::new().layer(EngineLayer::new(Echo));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! In the page, with the package `engine.io-client`:
//!
//! ```js
//! const socket = new Socket("ws://127.0.0.1:3000");
//! socket.on("open", () => socket.send("hello"));
//! socket.on("message", (data) => console.log(data));
//! ```
//!
//! On the wire is what `docs/PROTOCOL.md` says of Engine.IO 4.

mod conversation;
mod handler;
mod message;
mod service;
mod socket;

use self::conversation::Conversation;
use crate::{
    engine::{Engine, EngineConfig, Mailbox},
    handshake::HandshakeInfo,
    session::CloseCause,
    transport::{Accept, ConfigError, HttpConfig, Server, stream_pipe},
};
use std::{fmt, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::{
    handler::Handler,
    message::Message,
    service::EngineService,
    socket::{Closed, EngineSocket, Transport},
};

/// A `tower::Layer` that serves Engine.IO on a path of its own, and passes all other requests on untouched.
///
/// A cheap clone: all clones, and the services that they make, are one server.
pub struct EngineLayer<H> {
    server: Arc<Server<Floor<H>>>,
    engine: Arc<Engine>,
}

/// What connections are for: the messages of a handler.
struct Floor<H> {
    engine: Arc<Engine>,
    handler: Arc<H>,
}

impl<H: Handler> EngineLayer<H> {
    /// Serves `/engine.io/` with the settings that nothing has to be said about.
    pub fn new(handler: H) -> Self {
        Self::made(handler, HttpConfig::default(), EngineConfig::default())
    }

    /// Serves the path of `http`.
    ///
    /// Of `engine`, `connect_timeout` has no meaning here, where there are no namespaces to join.
    ///
    /// # Errors
    ///
    /// Fails when the settings can't work.
    ///
    /// ```
    /// # use rooms_layer::{EngineConfig, HttpConfig, engine_io::{EngineLayer, EngineSocket, Handler, Message}};
    /// # use std::time::Duration;
    /// # struct Echo;
    /// # impl Handler for Echo { async fn message(&self, socket: &EngineSocket, message: Message) {} }
    /// let http = HttpConfig::default().path("/live/");
    /// let mut engine = EngineConfig::default();
    /// engine.ping_interval = Duration::from_secs(10);
    /// let layer = EngineLayer::with_config(Echo, http, engine)?;
    /// # Ok::<(), rooms_layer::ConfigError>(())
    /// ```
    pub fn with_config(
        handler: H,
        http: HttpConfig,
        engine: EngineConfig,
    ) -> Result<Self, ConfigError> {
        match http.problem().or_else(|| engine.problem()) {
            Some(problem) => Err(ConfigError(problem)),
            None => Ok(Self::made(handler, http, engine)),
        }
    }

    fn made(handler: H, http: HttpConfig, config: EngineConfig) -> Self {
        let engine = Arc::new(Engine::new());
        // It was made just now, so nobody has settled it.
        engine.configure(config);
        let floor = Floor {
            engine: engine.clone(),
            handler: Arc::new(handler),
        };
        let server = Arc::new(Server::new(engine.clone(), floor, http));
        Self { server, engine }
    }

    /// Serves one connection that speaks WebSocket already, as [`RoomsLayer::accept`](crate::RoomsLayer::accept) does. The future
    /// resolves when the connection is over and its handler has ended.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the connection and the handler that runs on it; [`Handler::close`] is not called.
    pub fn accept<B, S>(
        &self,
        request: &http::Request<B>,
        upgraded: S,
    ) -> impl Future<Output = ()> + Send + use<H, B, S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.server.connect(stream_pipe(upgraded), request)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.engine.connections()
    }

    /// Closes every connection, after what is queued for it has been sent, and those that come from now on.
    pub fn close(&self) {
        self.engine.close(CloseCause::ShuttingDown);
    }
}

impl<H: Handler> Accept for Floor<H> {
    type Inbound = Conversation<H>;

    fn accept(&self, mailbox: &Arc<Mailbox>, sid: &str, request: HandshakeInfo) -> Conversation<H> {
        // There are no namespaces that it would have to join in time.
        mailbox.joined();
        let socket = EngineSocket::new(self.engine.clone(), mailbox.clone(), sid, request);
        Conversation::new(self.handler.clone(), socket)
    }
}

impl<H> Clone for EngineLayer<H> {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            engine: self.engine.clone(),
        }
    }
}

impl<H> fmt::Debug for EngineLayer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineLayer").finish_non_exhaustive()
    }
}

impl<H: Handler, S> tower_layer::Layer<S> for EngineLayer<H> {
    type Service = EngineService<S, H>;

    fn layer(&self, inner: S) -> EngineService<S, H> {
        EngineService::new(inner, self.server.clone())
    }
}

#[cfg(test)]
mod tests;
