//! `Io`: the handle to everyone in a namespace.

use super::{
    acks::Acks,
    bounds::{
        Admits, DecodeAck, EmittedBy, EncodeArgs, Everyone, HasRooms, Routed, ServerEvent, Target,
        WithAck, WithoutAck,
    },
    capability::{Any, CanAck, CanEmit, CanQuery},
    emit::To,
    error::Error,
    event::Event,
    namespace::Namespace,
    remote::RemoteSocket,
};
use crate::rooms::{BackEnd, Changed, Incomplete, Selection, Sent, SocketId};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// The handle to everyone in namespace `N`: a cheap clone, usable from any HTTP handler, socket handler or task.
///
/// `B` is the back end. A handle that does not name one (`Io<App>`) does what every adapter can; `Io<App, MyAdapter>` also
/// does what only that one can; the one of a process that holds no sockets is an [`Emitter`](crate::Emitter).
///
/// ```
/// # use rooms_layer::{prelude::*, Error};
/// # use serde::{Deserialize, Serialize};
/// #[derive(Room)]
/// enum Room {
///     Project(u64),
/// }
///
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(server, to(Room::Project))]
/// struct Renamed {
///     id: u64,
///     name: String,
/// }
///
/// fn rename(io: Io<Main>, id: u64, name: String) -> Result<(), Error> {
///     io.to(Room::project(id)).emit(Renamed { id, name })?;
///     Ok(())
/// }
/// ```
pub struct Io<N: Namespace, B = Any> {
    pub(super) back_end: Arc<dyn BackEnd>,
    kind: PhantomData<fn() -> (N, B)>,
}

impl<N: Namespace, B> Io<N, B> {
    /// The handle that stands on this.
    pub(crate) fn over(back_end: Arc<dyn BackEnd>) -> Self {
        Io {
            back_end,
            kind: PhantomData,
        }
    }

    /// The same namespace, seen through another back end type.
    #[cfg(feature = "server")]
    pub(crate) fn cast<C>(self) -> Io<N, C> {
        Io::over(self.back_end)
    }

    /// What it stands on.
    #[cfg(feature = "server")]
    pub(crate) fn back_end(&self) -> &Arc<dyn BackEnd> {
        &self.back_end
    }
}

impl<N: Namespace, B: CanEmit> Io<N, B> {
    /// Addresses the sockets in a room or in any of several; an empty list is nobody.
    pub fn to<T: Target<N>>(&self, target: T) -> To<N, B, T::Audience> {
        self.everyone().narrow(target)
    }

    /// Addresses everyone but the sockets in a room.
    pub fn except<T: Target<N>>(&self, target: T) -> To<N, B, Everyone> {
        self.everyone().except(target)
    }

    /// Sets how long acknowledgements are waited for.
    pub fn timeout(&self, timeout: Duration) -> To<N, B, Everyone> {
        self.everyone().timeout(timeout)
    }

    /// Addresses everyone on this server only.
    pub fn local(&self) -> To<N, B, Everyone>
    where
        B: CanQuery,
    {
        self.everyone().local()
    }

    /// Addresses everyone who can take the event at once.
    pub fn volatile(&self) -> To<N, B, Everyone> {
        self.everyone().volatile()
    }

    /// Emits to everyone in the namespace; the event must be `#[event(broadcast)]`.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Everyone: Admits<E::This>,
    {
        self.everyone().emit(event)
    }

    /// [`emit`](Io::emit) without giving the event away.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn emit_ref<E>(&self, event: &E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Everyone: Admits<E::This>,
    {
        self.everyone().emit_ref(event)
    }

    /// Emits to everyone in the namespace and collects the acknowledgements.
    ///
    /// # Errors
    ///
    /// See [`To::emit_with_ack`].
    pub fn emit_with_ack<E>(&self, event: E) -> Result<Acks<E::Ack>, Error>
    where
        B: CanAck,
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithAck + EncodeArgs,
        Everyone: Admits<E::This>,
        E::Ack: DecodeAck,
    {
        self.everyone().emit_with_ack(event)
    }

    /// Emits to the room that the event itself names: `#[event(to(Room::Project(id)))]`.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn publish<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + Routed + WithoutAck + EncodeArgs,
        N: HasRooms<<E::This as Routed>::Set>,
    {
        self.everyone().routed(event.this()).send(&event)
    }

    /// The sockets of this server that are in the namespace.
    pub async fn sockets(&self) -> Vec<SocketId>
    where
        B: CanQuery,
    {
        self.everyone().sockets().await
    }

    /// How many sockets of this server are in the namespace.
    pub async fn count(&self) -> usize
    where
        B: CanQuery,
    {
        self.everyone().count().await
    }

    /// The sockets in the namespace, of every server of the cluster.
    ///
    /// # Errors
    ///
    /// See [`To::fetch_sockets`].
    pub async fn fetch_sockets(
        &self,
    ) -> Result<Vec<RemoteSocket<N>>, Incomplete<Vec<RemoteSocket<N>>>>
    where
        B: CanQuery,
    {
        self.everyone().fetch_sockets().await
    }

    /// How many sockets are in the namespace, on every server of the cluster.
    ///
    /// # Errors
    ///
    /// See [`To::cluster_count`].
    pub async fn cluster_count(&self) -> Result<usize, Incomplete<usize>>
    where
        B: CanQuery,
    {
        self.everyone().cluster_count().await
    }

    /// Makes everyone in the namespace join a room.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed {
        self.everyone().join(target)
    }

    /// Makes everyone in the namespace leave a room.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed {
        self.everyone().leave(target)
    }

    /// Disconnects everyone from the namespace.
    pub fn disconnect_sockets(&self) -> Changed {
        self.everyone().disconnect_sockets()
    }

    pub(crate) fn everyone(&self) -> To<N, B, Everyone> {
        To::new(self.back_end.clone(), Selection::default())
    }
}

impl<N: Namespace, B> Clone for Io<N, B> {
    fn clone(&self) -> Self {
        Io::over(self.back_end.clone())
    }
}
impl<N: Namespace, B> fmt::Debug for Io<N, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("namespace", &self.back_end.path())
            .finish_non_exhaustive()
    }
}
