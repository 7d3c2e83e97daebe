use crate::wire::{
    DecodeError, EncodeError, Value,
    value::{ValueError, to_value},
};
use serde::Serialize;

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
    /// The client answered with something else than the event's ack type.
    #[error("the acknowledgement has another form than the event declares")]
    Decode(#[from] DecodeError),
    /// The event could not be emitted.
    #[error("the event was not emitted")]
    Emit(#[from] EmitError),
}

/// A refused connection: what the client reads in `connect_error` (`err.message`, `err.data`).
#[derive(Debug, Clone, PartialEq)]
pub struct Refuse {
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Refuse {
    /// Refuses with a message: `err.message` in the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
        }
    }

    /// Adds details: `err.data` in the client.
    ///
    /// # Errors
    ///
    /// Fails when the `Serialize` implementation of `data` does.
    pub fn with_data<T: Serialize>(mut self, data: &T) -> Result<Self, ValueError> {
        self.data = Some(to_value(data)?);
        Ok(self)
    }
}

/// The client is not told what went wrong inside.
impl From<ValueError> for Refuse {
    fn from(error: ValueError) -> Self {
        tracing::error!(%error, "the details of a refusal can't be encoded");
        Self::new("internal error")
    }
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
