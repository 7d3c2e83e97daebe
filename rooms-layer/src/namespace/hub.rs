//! All namespaces of one server.

use super::{Contract, Handlers, MountError, Namespace, NamespaceConfig};
use crate::{engine::Engine, rooms::Adapter, session::CloseCause};
use hashbrown::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

/// One server: its namespaces and what they share.
pub(crate) struct Hub {
    engine: Arc<Engine>,
    adapter: Box<dyn Adapter>,
    config: OnceLock<NamespaceConfig>,
    namespaces: RwLock<HashMap<Box<str>, Arc<Namespace>, foldhash::fast::RandomState>>,
}

impl Hub {
    pub(crate) fn new(adapter: Box<dyn Adapter>) -> Arc<Self> {
        Arc::new(Self {
            engine: Arc::new(Engine::new()),
            adapter,
            config: OnceLock::new(),
            namespaces: RwLock::default(),
        })
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn adapter(&self) -> &dyn Adapter {
        &*self.adapter
    }

    /// Settles the configuration; false if it was settled before.
    pub(crate) fn configure(&self, config: NamespaceConfig) -> bool {
        self.config.set(config).is_ok()
    }

    pub(crate) fn config(&self) -> &NamespaceConfig {
        self.config.get_or_init(NamespaceConfig::default)
    }

    /// Closes every connection. Clients are not told to stay away: they reconnect, to another server or to this one.
    pub(crate) fn close(&self) {
        self.engine.close(CloseCause::ShuttingDown);
    }

    /// The namespace at `path`, which need not be mounted yet: for handles that are had while the server is put together.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        path: &str,
        contract: Contract,
    ) -> Result<Arc<Namespace>, MountError> {
        let mut namespaces = self
            .namespaces
            .write()
            .expect("no code panics under this lock");
        let namespace = namespaces.entry(path.into()).or_insert_with(|| {
            let hub = Arc::downgrade(self);
            Namespace::new(path, contract, &*self.adapter, self.engine.clone(), hub)
        });
        match namespace.contract().id == contract.id {
            true => Ok(namespace.clone()),
            false => Err(MountError::OtherContract {
                path: path.to_owned(),
                mounted: namespace.contract().name,
                asked: contract.name,
            }),
        }
    }

    /// Serves `path`. The contract is what a handle must name to reach it.
    pub(crate) fn mount(
        self: &Arc<Self>,
        path: &str,
        contract: Contract,
        handlers: Arc<dyn Handlers>,
    ) -> Result<(), MountError> {
        let taken = |first| MountError::PathTaken {
            path: path.to_owned(),
            first,
            second: contract.name,
        };
        let namespace = self.reserve(path, contract).map_err(|error| match error {
            MountError::OtherContract { mounted, .. } => taken(mounted),
            error => error,
        })?;
        match namespace.mount(handlers) {
            true => Ok(()),
            false => Err(taken(namespace.contract().name)),
        }
    }

    /// The namespace at `path`, if it is mounted under that contract.
    pub(crate) fn namespace(
        &self,
        path: &str,
        contract: Contract,
    ) -> Result<Arc<Namespace>, MountError> {
        let Some(namespace) = self.mounted(path) else {
            return Err(MountError::NotMounted {
                path: path.to_owned(),
                asked: contract.name,
            });
        };
        match namespace.contract().id == contract.id {
            true => Ok(namespace),
            false => Err(MountError::OtherContract {
                path: path.to_owned(),
                mounted: namespace.contract().name,
                asked: contract.name,
            }),
        }
    }

    /// Namespaces that somebody holds a handle to and nobody has mounted.
    pub(crate) fn unmounted(&self) -> Vec<MountError> {
        let namespaces = self
            .namespaces
            .read()
            .expect("no code panics under this lock");
        namespaces
            .values()
            .filter(|namespace| namespace.handlers().is_none())
            .map(|namespace| MountError::NotMounted {
                path: namespace.path().to_owned(),
                asked: namespace.contract().name,
            })
            .collect()
    }

    /// The namespace that a client asks for.
    pub(super) fn mounted(&self, path: &str) -> Option<Arc<Namespace>> {
        let namespaces = self
            .namespaces
            .read()
            .expect("no code panics under this lock");
        let namespace = namespaces.get(path)?;
        namespace.handlers().is_some().then(|| namespace.clone())
    }
}
