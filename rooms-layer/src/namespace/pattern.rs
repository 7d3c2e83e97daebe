//! Dynamic namespaces: the paths that one pattern stands for.

use super::{Contract, Handlers};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// What the path of a dynamic namespace says, as the application's type, type erased.
pub(crate) type PathValues = Box<dyn Any + Send + Sync>;

/// A set of paths, as the typed floor knows it.
#[derive(Clone, Copy)]
pub(crate) struct Pattern {
    /// As it is declared: `/workspace-{id}`.
    pub(crate) text: &'static str,
    /// Reads a path; `None` where it is not in the set.
    pub(crate) parse: fn(&str) -> Option<PathValues>,
    /// Some of the paths in the set, and perhaps others: candidates for being in another set as well.
    pub(crate) samples: fn() -> Vec<String>,
}

impl Pattern {
    /// Reads a path that a client may have chosen. The application's types take part in this, so a panic is possible.
    pub(super) fn read(&self, path: &str) -> Option<PathValues> {
        catch_unwind(AssertUnwindSafe(|| (self.parse)(path))).unwrap_or_else(|_| {
            tracing::error!(
                pattern = self.text,
                "reading the path of a namespace panicked"
            );
            None
        })
    }

    /// A path that is in both sets, if one is found.
    fn overlap(&self, other: &Pattern) -> Option<String> {
        let mut samples = (self.samples)();
        samples.extend((other.samples)());
        samples
            .into_iter()
            .find(|path| self.read(path).is_some() && other.read(path).is_some())
    }
}

/// A pattern that is served.
#[derive(Clone)]
pub(super) struct MountedPattern {
    pub(super) pattern: Pattern,
    pub(super) contract: Contract,
    pub(super) handlers: Arc<dyn Handlers>,
}

impl MountedPattern {
    /// A path that this one and another pattern would both serve, if one is found.
    pub(super) fn shared_path(&self, other: &Pattern) -> Option<String> {
        match self.pattern.text == other.text {
            true => Some(other.text.to_owned()),
            false => self.pattern.overlap(other),
        }
    }
}
