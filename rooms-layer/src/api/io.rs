//! What only the `Io` of a server can do.

use super::identity::{identity, values};
use crate::{
    contract::{
        DynamicNamespace, Io, Namespace, RoomSet,
        bounds::{CanQuery, HasRooms, StaticNamespace},
    },
    namespace::{self, RoomEvents},
    rooms::{Incomplete, MountError},
};
use std::{any::Any, sync::Arc};

impl<N: Namespace, B: CanQuery> Io<N, B> {
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
        Ok(Io::over(hub.namespace(M::PATH, identity::<M>())?))
    }

    /// The handle to one of the namespaces `M` of the same server: `io.at(Workspace { id })`.
    ///
    /// # Errors
    ///
    /// Fails when `M` is not mounted, or the path is served under another contract, and when there are as many dynamic
    /// namespaces as there may be.
    pub fn at<M: DynamicNamespace>(&self, namespace: M) -> Result<Io<M, B>, MountError> {
        let hub = self.hub::<M>()?;
        Ok(Io::over(hub.at(&namespace.path(), identity::<M>())?))
    }

    /// What the path of the namespace says, of a dynamic one.
    pub fn namespace(&self) -> &N::Contract
    where
        N::Contract: DynamicNamespace,
    {
        values::<N>(self.core())
    }

    /// The rooms of the set `R` that have a member on this server.
    pub fn rooms<R: RoomSet>(&self) -> Vec<R>
    where
        N: HasRooms<R>,
    {
        let names = self.core().rooms();
        names.iter().filter_map(|name| R::parse(name)).collect()
    }

    /// The names of all rooms that have a member on this server, [`DynRoom`](crate::DynRoom)s and the sockets' own ids among
    /// them, in no order.
    pub fn room_names(&self) -> Vec<String> {
        self.core().rooms()
    }

    /// The rooms of the set `R` that have a member on any server of the cluster, each once.
    ///
    /// # Errors
    ///
    /// Fails when a server did not answer in time. The error has the rooms of the others.
    pub async fn cluster_rooms<R: RoomSet>(&self) -> Result<Vec<R>, Incomplete<Vec<R>>>
    where
        N: HasRooms<R>,
    {
        let parse = |names: Vec<String>| names.iter().filter_map(|name| R::parse(name)).collect();
        match self.everyone().cluster_rooms().await {
            Ok(names) => Ok(parse(names)),
            Err(incomplete) => Err(incomplete.map(parse)),
        }
    }

    /// What happens to rooms of this server from now on: which are created and deleted, and who joins and leaves.
    ///
    /// Nobody's coming and going waits for a reader. Where nobody reads, it costs nothing.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, RoomEvent};
    /// # #[derive(Room, Debug)] enum Room { Project(u64) }
    /// async fn follow(io: Io<Main>) {
    ///     let mut events = io.room_events();
    ///     while let Some(event) = events.next().await {
    ///         match event {
    ///             Ok(RoomEvent::Joined { room, socket }) => println!("{socket} is in {:?}", Room::parse(&room)),
    ///             Ok(_) => {}
    ///             Err(lagged) => println!("{lagged}: look at `io.rooms()`"),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn room_events(&self) -> RoomEvents {
        self.core().room_events()
    }

    /// The namespace of this server that it is a handle to.
    pub(crate) fn core(&self) -> &namespace::Namespace {
        let back_end: &dyn Any = &**self.back_end();
        let core = back_end.downcast_ref();
        core.expect("only servers make handles that can query")
    }

    fn hub<M: Namespace>(&self) -> Result<Arc<namespace::Hub>, MountError> {
        self.core().hub().ok_or_else(|| MountError::NotMounted {
            path: M::PATH.to_owned(),
            asked: identity::<M>().name,
        })
    }
}
