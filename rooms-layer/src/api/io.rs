//! `Io`: the handle to everyone in a namespace.

use super::{
    identity::{identity, values},
    opaque::Opaque,
};
use crate::{
    contract::{
        Acks, Any, DynamicNamespace, Error, Event, Namespace, RoomSet, To,
        bounds::{
            Admits, CanAck, CanEmit, CanQuery, DecodeAck, EmittedBy, EncodeArgs, Everyone,
            HasRooms, Routed, ServerEvent, StaticNamespace, Target, WithAck, WithoutAck,
        },
    },
    namespace,
    rooms::{Changed, MountError, Selection, Sent, SocketId},
};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// The handle to everyone in namespace `N`: a cheap clone, usable from any HTTP handler, socket handler or task.
///
/// `B` is the back end. A handle that does not name one (`Io<App>`) does what every adapter can; `Io<App, MyAdapter>` also
/// does what only that one can.
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
    core: Opaque<namespace::Namespace>,
    kind: PhantomData<fn() -> (N, B)>,
}

impl<N: Namespace, B> Io<N, B> {
    pub(crate) fn new(core: Arc<namespace::Namespace>) -> Self {
        Io {
            core: Opaque::new(core),
            kind: PhantomData,
        }
    }

    #[cfg(feature = "test")]
    pub(crate) fn into_core(self) -> Arc<namespace::Namespace> {
        self.core.arc()
    }

    /// The same namespace, seen through another back end type.
    pub(crate) fn cast<C>(self) -> Io<N, C> {
        Io {
            core: self.core,
            kind: PhantomData,
        }
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

    /// The handle to another namespace of the same server.
    ///
    /// # Errors
    ///
    /// Fails when `M` is not mounted, or its path is served under another contract.
    pub fn of<M>(&self) -> Result<Io<M, B>, MountError>
    where
        M: Namespace<Contract: StaticNamespace>,
    {
        let hub = self.hub::<M>()?;
        Ok(Io::new(hub.namespace(M::PATH, identity::<M>())?))
    }

    /// The handle to one of the namespaces `M` of the same server: `io.at(Workspace { id })`.
    ///
    /// # Errors
    ///
    /// Fails when `M` is not mounted, or the path is served under another contract, and when there are as many dynamic
    /// namespaces as there may be.
    pub fn at<M: DynamicNamespace>(&self, namespace: M) -> Result<Io<M, B>, MountError> {
        let hub = self.hub::<M>()?;
        Ok(Io::new(hub.at(&namespace.path(), identity::<M>())?))
    }

    /// What the path of the namespace says, of a dynamic one.
    pub fn namespace(&self) -> &N::Contract
    where
        N::Contract: DynamicNamespace,
    {
        values::<N>(&self.core)
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

    /// The rooms of the set `R` that have a member on this server.
    pub fn rooms<R: RoomSet>(&self) -> Vec<R>
    where
        B: CanQuery,
        N: HasRooms<R>,
    {
        let names = self.core.rooms();
        names.iter().filter_map(|name| R::parse(name)).collect()
    }

    /// The names of all rooms that have a member on this server, [`DynRoom`](crate::DynRoom)s and the sockets' own ids among
    /// them, in no order.
    pub fn room_names(&self) -> Vec<String>
    where
        B: CanQuery,
    {
        self.core.rooms()
    }

    /// Makes everyone in the namespace join a room.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed
    where
        B: CanQuery,
    {
        self.everyone().join(target)
    }

    /// Makes everyone in the namespace leave a room.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed
    where
        B: CanQuery,
    {
        self.everyone().leave(target)
    }

    /// Disconnects everyone from the namespace.
    pub fn disconnect_sockets(&self) -> Changed
    where
        B: CanQuery,
    {
        self.everyone().disconnect_sockets()
    }

    pub(crate) fn everyone(&self) -> To<N, B, Everyone> {
        To::new(self.core.arc(), Selection::default())
    }

    fn hub<M: Namespace>(&self) -> Result<Arc<namespace::Hub>, MountError> {
        self.core.hub().ok_or_else(|| MountError::NotMounted {
            path: M::PATH.to_owned(),
            asked: identity::<M>().name,
        })
    }
}

impl<N: Namespace, B> Clone for Io<N, B> {
    fn clone(&self) -> Self {
        Io {
            core: self.core.clone(),
            kind: PhantomData,
        }
    }
}
impl<N: Namespace, B> fmt::Debug for Io<N, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("namespace", &self.core.path())
            .finish_non_exhaustive()
    }
}
