//! Locks and atomics of what many threads share in the core (engine, namespaces, memory): the standard library's.
//!
//! In tests built with `--cfg shuttle` they are shuttle's, which runs threads in one interleaving after the other: see
//! `namespace/tests/interleavings.rs`. What is not taken from here (`OnceLock`, tokio's `Notify`) is one step there.

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};

#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
