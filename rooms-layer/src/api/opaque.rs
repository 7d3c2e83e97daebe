//! An `Arc` that compilers need not look into.

use std::{any::Any, fmt, marker::PhantomData, ops::Deref, sync::Arc};

/// An `Arc<T>` that hides what is in it from the types that hold it.
///
/// A handler's future has to be `Send`. To know that it is, rustc walks through all that the future holds, down to the last
/// atomic of the engine behind a socket, and does so again for each handler. Behind a `dyn` there is nothing to walk through. It
/// costs a comparison of type ids wherever the inside is used.
pub(super) struct Opaque<T> {
    inside: Arc<dyn Any + Send + Sync>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> Opaque<T> {
    pub(super) fn new(inside: Arc<T>) -> Self {
        Self {
            inside,
            kind: PhantomData,
        }
    }

    /// The `Arc` that this was made of.
    pub(super) fn arc(&self) -> Arc<T> {
        let inside = self.inside.clone().downcast();
        inside.unwrap_or_else(|_| unreachable!("`new` takes nothing else"))
    }
}

impl<T: Send + Sync + 'static> Deref for Opaque<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let inside = self.inside.downcast_ref();
        inside.expect("`new` takes nothing else")
    }
}

impl<T> Clone for Opaque<T> {
    fn clone(&self) -> Self {
        Self {
            inside: self.inside.clone(),
            kind: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opaque").finish_non_exhaustive()
    }
}
