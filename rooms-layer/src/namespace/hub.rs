//! All namespaces of one server.

use super::{
    Contract, Handlers, Namespace, NamespaceConfig,
    core::Place,
    heard::Heard,
    pattern::{MountedPattern, PathValues, Pattern},
};
use crate::{
    engine::Engine,
    rooms::{Adapter, MountError, RecoveryConfig},
    session::CloseCause,
    sync::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use hashbrown::HashMap;
use std::sync::{Arc, OnceLock, Weak};

/// One server: its namespaces and what they share.
pub(crate) struct Hub {
    engine: Arc<Engine>,
    adapter: Arc<dyn Adapter>,
    config: OnceLock<NamespaceConfig>,
    /// What clients that come back are promised, if they are.
    recovery: OnceLock<RecoveryConfig>,
    /// The events of other servers that are being handled.
    heard: Arc<Heard>,
    namespaces: RwLock<Namespaces>,
}

/// The namespaces, by their paths.
#[derive(Default)]
struct Namespaces {
    /// Those with a path of their own, for as long as the server lives.
    fixed: ByPath<Arc<Namespace>>,
    /// Children of patterns. They live as long as a client is in them, is asking to be let in, or somebody holds a handle, and
    /// take themselves out when they are dropped: so nothing has to decide whether one is still needed.
    children: ByPath<Weak<Namespace>>,
    /// In the order in which they were mounted.
    patterns: Arc<Vec<MountedPattern>>,
}

type ByPath<T> = HashMap<Box<str>, T, foldhash::fast::RandomState>;

impl Namespaces {
    fn find(&self, path: &str) -> Option<Arc<Namespace>> {
        let fixed = self.fixed.get(path).cloned();
        fixed.or_else(|| self.children.get(path)?.upgrade())
    }
}

/// Why there is no namespace at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoNamespace {
    /// Nothing is mounted there.
    Unknown,
    /// It would be one dynamic namespace too many.
    TooMany,
}

impl Hub {
    pub(crate) fn new(adapter: Box<dyn Adapter>) -> Arc<Self> {
        Arc::new(Self {
            engine: Arc::new(Engine::new()),
            adapter: adapter.into(),
            config: OnceLock::new(),
            recovery: OnceLock::new(),
            heard: Arc::default(),
            namespaces: RwLock::default(),
        })
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(super) fn heard(&self) -> &Arc<Heard> {
        &self.heard
    }

    pub(crate) fn adapter(&self) -> &dyn Adapter {
        &*self.adapter
    }

    /// Settles the configuration; false if it was settled before.
    pub(crate) fn configure(&self, config: NamespaceConfig) -> bool {
        self.config.set(config).is_ok()
    }

    /// Has clients come back to what they were; false if that was settled before, by somebody or by an adapter that was told
    /// of a namespace without it.
    pub(crate) fn recover(&self, config: RecoveryConfig) -> bool {
        let is_open = self
            .read()
            .fixed
            .values()
            .any(|namespace| namespace.is_open());
        !is_open && self.recovery.set(config).is_ok()
    }

    pub(super) fn recovery(&self) -> Option<&RecoveryConfig> {
        self.recovery.get()
    }

    pub(crate) fn config(&self) -> &NamespaceConfig {
        self.config.get_or_init(NamespaceConfig::default)
    }

    /// Closes every connection. Clients are not told to stay away: they reconnect, to another server or to this one.
    pub(crate) fn close(&self) {
        self.engine.close(CloseCause::ShuttingDown);
        drop(self.adapter.close());
    }

    /// The namespace at `path`, which need not be mounted yet: for handles that are had while the server is put together.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        path: &str,
        contract: Contract,
        values: Option<PathValues>,
    ) -> Result<Arc<Namespace>, MountError> {
        let mut namespaces = self.write();
        let namespace = namespaces.find(path).unwrap_or_else(|| {
            let namespace = self.make(path, contract, values);
            namespaces.fixed.insert(path.into(), namespace.clone());
            namespace
        });
        drop(namespaces);
        namespace.under(contract)
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
        let namespace = self
            .reserve(path, contract, None)
            .map_err(|error| match error {
                MountError::OtherContract { mounted, .. } => taken(mounted),
                error => error,
            })?;
        match namespace.mount(handlers) {
            true => Ok(()),
            false => Err(taken(namespace.contract().name)),
        }
    }

    /// Serves every path of a pattern that is not mounted itself and that no pattern before has.
    pub(crate) fn mount_pattern(
        &self,
        pattern: Pattern,
        contract: Contract,
        handlers: Arc<dyn Handlers>,
    ) -> Result<(), MountError> {
        // The application's types look at the paths, so the lock is not held.
        let patterns = self.read().patterns.clone();
        let shared = patterns
            .iter()
            .find_map(|first| Some((first, first.shared_path(&pattern)?)));
        if let Some((first, path)) = shared {
            return Err(MountError::PathTaken {
                path,
                first: first.contract.name,
                second: contract.name,
            });
        }
        Arc::make_mut(&mut self.write().patterns).push(MountedPattern {
            pattern,
            contract,
            handlers,
        });
        Ok(())
    }

    /// The namespace at `path`, if it is mounted there under that contract.
    pub(crate) fn namespace(
        &self,
        path: &str,
        contract: Contract,
    ) -> Result<Arc<Namespace>, MountError> {
        let fixed = self.read().fixed.get(path).cloned();
        match fixed.filter(|namespace| namespace.handlers().is_some()) {
            Some(namespace) => namespace.under(contract),
            None => Err(MountError::NotMounted {
                path: path.to_owned(),
                asked: contract.name,
            }),
        }
    }

    /// The dynamic namespace at `path`, made if it is not there yet. It stays for as long as the result is kept.
    pub(crate) fn at(
        self: &Arc<Self>,
        path: &str,
        contract: Contract,
    ) -> Result<Arc<Namespace>, MountError> {
        match self.open(path) {
            Ok(namespace) => namespace.under(contract),
            Err(NoNamespace::Unknown) => Err(MountError::NotMounted {
                path: path.to_owned(),
                asked: contract.name,
            }),
            Err(NoNamespace::TooMany) => Err(MountError::TooMany {
                path: path.to_owned(),
            }),
        }
    }

    /// The namespace that a client asks for: the one at the path, or else a child of the first pattern that has the path.
    pub(super) fn open(self: &Arc<Self>, path: &str) -> Result<Arc<Namespace>, NoNamespace> {
        let namespaces = self.read();
        let found = namespaces.find(path);
        let patterns = namespaces.patterns.clone();
        drop(namespaces);
        if let Some(namespace) = found {
            return match namespace.handlers() {
                Some(_) => Ok(namespace),
                None => Err(NoNamespace::Unknown),
            };
        }
        // The application's types read the path, so the lock is not held.
        let matching = patterns
            .iter()
            .find_map(|mounted| Some((mounted, mounted.pattern.read(path)?)));
        let (mounted, values) = matching.ok_or(NoNamespace::Unknown)?;
        let mut namespaces = self.write();
        if let Some(namespace) = namespaces.find(path) {
            return Ok(namespace);
        }
        if namespaces.children.len() >= self.config().max_dynamic_namespaces {
            return Err(NoNamespace::TooMany);
        }
        let child = self.make(path, mounted.contract, Some(values));
        child.mount(mounted.handlers.clone());
        let entry = Arc::downgrade(&child);
        namespaces.children.insert(path.into(), entry);
        Ok(child)
    }

    /// A child is gone.
    pub(super) fn forget(&self, path: &str) {
        let mut namespaces = self.write();
        // It may have a successor by now: from its last moment on, whoever asks for the path gets a new one.
        let entry = namespaces.children.get(path);
        if entry.is_some_and(|entry| entry.strong_count() == 0) {
            namespaces.children.remove(path);
        }
    }

    /// Opens the way to the other servers for every namespace with a path of its own, so that their events are heard before
    /// the first client is here.
    pub(crate) fn open_channels(&self) {
        let fixed: Vec<_> = self.read().fixed.values().cloned().collect();
        for namespace in fixed {
            namespace.channel();
        }
    }

    /// Every namespace of this moment.
    pub(crate) fn all(&self) -> Vec<Arc<Namespace>> {
        let namespaces = self.read();
        let children = namespaces.children.values().filter_map(Weak::upgrade);
        namespaces.fixed.values().cloned().chain(children).collect()
    }

    /// How many dynamic namespaces there are.
    pub(crate) fn children(&self) -> usize {
        self.read().children.len()
    }

    /// Namespaces that somebody holds a handle to and nobody has mounted.
    pub(crate) fn unmounted(&self) -> Vec<MountError> {
        let namespaces = self.read();
        let fixed = namespaces.fixed.values();
        fixed
            .filter(|namespace| namespace.handlers().is_none())
            .map(|namespace| MountError::NotMounted {
                path: namespace.path().to_owned(),
                asked: namespace.contract().name,
            })
            .collect()
    }

    fn make(
        self: &Arc<Self>,
        path: &str,
        contract: Contract,
        values: Option<PathValues>,
    ) -> Arc<Namespace> {
        let place = Place {
            path,
            contract,
            values,
        };
        let hub = Arc::downgrade(self);
        Namespace::new(place, self.engine.clone(), self.adapter.clone(), hub)
    }

    fn read(&self) -> RwLockReadGuard<'_, Namespaces> {
        self.namespaces
            .read()
            .expect("no code panics under this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Namespaces> {
        self.namespaces
            .write()
            .expect("no code panics under this lock")
    }
}
