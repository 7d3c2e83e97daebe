//! What is known of a client that connects.

use super::contract::Namespace;
use crate::{
    namespace::{HandshakeInfo, Refusal},
    wire::{EncodeError, to_value},
};
use serde::Serialize;
use std::{fmt, net::SocketAddr, sync::Arc};

/// A client that asks to connect to namespace `N`: what [`authorize`](crate::Serve::authorize) decides about.
#[non_exhaustive]
pub struct Handshake<N: Namespace> {
    /// What the client sent as `auth`.
    pub auth: N::Auth,
    /// The state of the namespace.
    pub state: N::State,
    request: Arc<HandshakeInfo>,
}

impl<N: Namespace> Handshake<N> {
    pub(crate) fn new(auth: N::Auth, state: N::State, request: Arc<HandshakeInfo>) -> Self {
        Handshake {
            auth,
            state,
            request,
        }
    }

    /// What is kept of the HTTP request that opened the connection.
    pub fn request(&self) -> &HandshakeInfo {
        &self.request
    }

    /// The headers of that request.
    pub fn headers(&self) -> &http::HeaderMap {
        self.request.headers()
    }

    /// The URI of that request.
    pub fn uri(&self) -> &http::Uri {
        self.request.uri()
    }
}

impl<N: Namespace> fmt::Debug for Handshake<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither `auth` nor the headers: both carry credentials.
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

impl HandshakeInfo {
    /// The headers of the request.
    pub fn headers(&self) -> &http::HeaderMap {
        &self.headers
    }

    /// The URI of the request.
    pub fn uri(&self) -> &http::Uri {
        &self.uri
    }

    /// The address of the client, where the server makes it known.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote
    }
}

impl Refusal {
    /// A refusal with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Refusal {
            message: message.into(),
            data: None,
        }
    }

    /// Adds what the client reads as `err.data`.
    ///
    /// # Errors
    ///
    /// Fails when `data` can't be encoded.
    pub fn with_data<T: Serialize>(mut self, data: &T) -> Result<Self, EncodeError> {
        self.data = Some(to_value(data)?);
        Ok(self)
    }
}
