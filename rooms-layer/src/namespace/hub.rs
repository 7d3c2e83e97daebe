//! All namespaces of one server.

use super::{Handlers, MountError, Namespace};
use std::{any::TypeId, sync::Arc};

/// One server: its namespaces and what they share.
pub(crate) struct Hub;
impl Hub {
    /// Serves `path`. The contract is what a handle must name to reach it.
    pub(crate) fn mount(
        self: &Arc<Self>,
        _path: &'static str,
        _contract: (TypeId, &'static str),
        _handlers: Arc<dyn Handlers>,
    ) -> Result<(), MountError> {
        todo!()
    }
    /// The namespace at `path`, if it is served under that contract.
    pub(crate) fn namespace(
        self: &Arc<Self>,
        _path: &'static str,
        _contract: (TypeId, &'static str),
    ) -> Result<Arc<Namespace>, MountError> {
        todo!()
    }
}
