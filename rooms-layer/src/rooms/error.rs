use crate::wire::{DecodeError, EncodeError};

/// Why an event was not emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The event's `Serialize` implementation failed; nothing was sent to anybody.
    #[error("the event can't be encoded")]
    Encode(#[from] EncodeError),
    /// The server was closed; nothing was sent to anybody.
    #[error("the server is closed")]
    Closed,
}

/// Why no acknowledgement arrived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// The client did not answer before the deadline.
    #[error("the client did not acknowledge in time")]
    Timeout,
    /// The client disconnected before it answered.
    #[error("the client disconnected before it acknowledged")]
    Disconnected,
    /// The event was volatile, and the client could not take it.
    #[error("the client could not take the volatile event")]
    Dropped,
    /// The client owes as many acknowledgements as
    /// [`NamespaceConfig::max_pending_acks`](crate::NamespaceConfig) allows; it was not asked.
    #[error("the client owes as many acknowledgements as it may")]
    TooMany,
    /// The client answered with something else than the event's ack type.
    #[error("the acknowledgement has another form than the event declares")]
    Decode(#[from] DecodeError),
    /// The event could not be emitted.
    #[error("the event was not emitted")]
    Emit(#[from] EmitError),
}

/// Why a namespace could not be mounted, or a handle not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// Two namespaces ask for one path. Of two dynamic ones it is found by trying values; where none is found, the one mounted
    /// first gets the paths that both have.
    #[error("namespace `{path}` is mounted twice: by `{first}` and by `{second}`")]
    PathTaken {
        /// A path of both.
        path: String,
        /// The type mounted first.
        first: &'static str,
        /// The type mounted second.
        second: &'static str,
    },
    /// A handle was asked for with a contract that is not mounted.
    #[error(
        "namespace `{asked}` (path `{path}`) is not mounted; add `.namespace({asked}::serve(..))` to the `RoomsLayer`"
    )]
    NotMounted {
        /// The path.
        path: String,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// A handle was asked for with another contract than the one mounted.
    #[error("namespace `{path}` is served as `{mounted}`, not as `{asked}`")]
    OtherContract {
        /// The path.
        path: String,
        /// The type that is mounted.
        mounted: &'static str,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// There are as many dynamic namespaces as [`NamespaceConfig::max_dynamic_namespaces`](crate::NamespaceConfig) allows.
    #[error("namespace `{path}` would be one dynamic namespace too many")]
    TooMany {
        /// The path.
        path: String,
    },
}

/// Not every server of the cluster answered in time. What did arrive is here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{missing} servers of the cluster have not answered")]
#[non_exhaustive]
pub struct Incomplete<T> {
    /// What the others answered, this server included.
    pub arrived: T,
    /// How many servers did not answer; of an adapter that can't count them, 1.
    pub missing: usize,
}

impl<T> Incomplete<T> {
    /// What arrived, if that is all.
    pub(crate) fn check(arrived: T, missing: usize) -> Result<T, Self> {
        match missing {
            0 => Ok(arrived),
            missing => Err(Self { arrived, missing }),
        }
    }

    /// The same with something else made of what arrived.
    #[cfg(feature = "server")]
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Incomplete<U> {
        Incomplete {
            arrived: f(self.arrived),
            missing: self.missing,
        }
    }
}
