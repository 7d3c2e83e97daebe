//! What is known of a client that connects.

use super::identity::values;
use crate::{
    contract::{DynamicNamespace, Namespace},
    handshake::HandshakeInfo,
    namespace,
};
use std::{fmt, sync::Arc};

/// A client that asks to connect to namespace `N`: what [`authorize`](crate::Serve::authorize) decides about.
#[non_exhaustive]
pub struct Handshake<N: Namespace> {
    /// What the client sent as `auth`.
    pub auth: N::Auth,
    /// The state of the namespace.
    pub state: N::State,
    core: Arc<namespace::Namespace>,
    request: Arc<HandshakeInfo>,
}

impl<N: Namespace> Handshake<N> {
    pub(crate) fn new(
        auth: N::Auth,
        state: N::State,
        core: Arc<namespace::Namespace>,
        request: Arc<HandshakeInfo>,
    ) -> Self {
        Handshake {
            auth,
            state,
            core,
            request,
        }
    }

    /// What the path says that the client asks for, of a dynamic namespace.
    pub fn namespace(&self) -> &N::Contract
    where
        N::Contract: DynamicNamespace,
    {
        values::<N>(&self.core)
    }

    /// What is kept of the HTTP request that opened the connection.
    pub fn request(&self) -> &HandshakeInfo {
        &self.request
    }
}

impl<N: Namespace> fmt::Debug for Handshake<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither `auth` nor the headers: both carry credentials.
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}
