//! How an `Io` is found in a request.

use super::identity::identity;
use crate::{
    contract::{Any, DynamicNamespace, Io, Namespace, bounds::StaticNamespace},
    namespace::Hub,
    rooms::{Adapter, MountError},
};
use std::{
    any::{TypeId, type_name},
    fmt,
    sync::Arc,
};

/// What [`RoomsLayer`](crate::RoomsLayer) puts into the extensions of every request: the way from a request to an [`Io`].
///
/// With axum, take `Io<App>` as a parameter. Elsewhere use [`Io::from_extensions`], or this where a framework hands out single
/// extensions: `warp::ext::get::<Handle>().map(|handle: Handle| handle.io::<App>())`.
#[derive(Clone)]
pub struct Handle {
    hub: Arc<Hub>,
    adapter: TypeId,
}

impl Handle {
    pub(crate) fn new<A: Adapter>(hub: Arc<Hub>) -> Self {
        Handle {
            hub,
            adapter: TypeId::of::<A>(),
        }
    }

    /// The handle to everyone in namespace `N`.
    ///
    /// # Errors
    ///
    /// Fails when `N` is not mounted, or its path is served under another contract.
    pub fn io<N>(&self) -> Result<Io<N>, MissingIo>
    where
        N: Namespace<Contract: StaticNamespace>,
    {
        self.namespace()
    }

    /// The handle to one of the namespaces `N`: `handle.at(Workspace { id })`.
    ///
    /// # Errors
    ///
    /// Fails when `N` is not mounted, or the path is served under another contract, and when there are as many dynamic
    /// namespaces as there may be.
    pub fn at<N: DynamicNamespace>(&self, namespace: N) -> Result<Io<N>, MissingIo> {
        Ok(Io::over(self.hub.at(&namespace.path(), identity::<N>())?))
    }

    /// [`io`](Handle::io), with what only adapter `A` can do.
    ///
    /// # Errors
    ///
    /// Fails like [`io`](Handle::io), and when the layer uses another adapter.
    pub fn io_with<N, A>(&self) -> Result<Io<N, A>, MissingIo>
    where
        N: Namespace<Contract: StaticNamespace>,
        A: Adapter,
    {
        if self.adapter != TypeId::of::<A>() {
            return Err(MissingIo::Adapter {
                used: self.hub.adapter().name(),
                asked: type_name::<A>(),
            });
        }
        self.namespace()
    }

    fn namespace<N: Namespace, B>(&self) -> Result<Io<N, B>, MissingIo> {
        Ok(Io::over(self.hub.namespace(N::PATH, identity::<N>())?))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("adapter", &self.hub.adapter().name())
            .finish_non_exhaustive()
    }
}

/// Why there is no [`Io`] to be had from a request: always a mistake of the server, never of the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MissingIo {
    /// The request did not pass through a [`RoomsLayer`](crate::RoomsLayer).
    #[error(
        "no `RoomsLayer` around this route: add `.layer(rooms)` to the router, after the routes that use it"
    )]
    Layer,
    /// The namespace is not mounted, or under another contract.
    #[error(transparent)]
    Namespace(#[from] MountError),
    /// The layer uses another adapter than the one the handle names.
    #[error("the `RoomsLayer` uses the `{used}` adapter, and a handle for `{asked}` was asked for")]
    Adapter {
        /// The adapter of the layer.
        used: &'static str,
        /// The adapter that was asked for.
        asked: &'static str,
    },
}

impl<N: Namespace<Contract: StaticNamespace>> Io<N, Any> {
    /// Takes the handle from the extensions of a request: hyper, warp, anything that speaks `http`.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, MissingIo};
    /// # #[derive(Event)] #[event(server, broadcast)] struct Refresh;
    /// fn hello(request: http::Request<()>) -> Result<http::Response<String>, MissingIo> {
    ///     let io = Io::<Main>::from_extensions(request.extensions())?;
    ///     io.emit(Refresh).ok();
    ///     Ok(http::Response::new("told everyone".to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails when the request did not pass through a [`RoomsLayer`](crate::RoomsLayer), when `N` is not mounted, or when its
    /// path is served under another contract.
    pub fn from_extensions(extensions: &http::Extensions) -> Result<Self, MissingIo> {
        extensions
            .get::<Handle>()
            .ok_or(MissingIo::Layer)?
            .io::<N>()
    }
}

impl<N: Namespace, A: Adapter> From<Io<N, A>> for Io<N> {
    fn from(io: Io<N, A>) -> Io<N> {
        Io::over(io.back_end().clone())
    }
}
