//! What only the `Io` of a server can do.

use super::identity::{identity, values};
use crate::{
    contract::{
        DynamicNamespace, Io, Namespace, RoomSet,
        bounds::{CanQuery, HasRooms, StaticNamespace},
    },
    namespace,
    rooms::MountError,
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
