//! The one error that users convert from, and what it is made of.

use crate::rooms::{AckError, AdapterError, EmitError, Incomplete, MountError};

/// Whatever this library can answer to a call: the one error to convert from.
///
/// `impl From<rooms_layer::Error> for ApiError` is enough for `?` on [`emit`](crate::To::emit) in a handler that returns
/// `Result<_, ApiError>`, and for events with `#[event(ack = Result<_, ApiError>)]`, whose clients then read rejections in
/// that same type. With the feature `axum` it is a response (500), so that `?` works in HTTP handlers too.
///
/// ```
/// # use serde::Serialize;
/// #[derive(Serialize)]
/// #[serde(tag = "code", rename_all = "snake_case")]
/// enum ApiError {
///     NotFound,
///     BadRequest { message: String },
///     Internal,
/// }
///
/// impl From<rooms_layer::Error> for ApiError {
///     fn from(error: rooms_layer::Error) -> Self {
///         match error {
///             rooms_layer::Error::Rejected(rejection) => ApiError::BadRequest { message: rejection.to_string() },
///             _ => ApiError::Internal,
///         }
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An event was not emitted.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// No acknowledgement arrived.
    #[error(transparent)]
    Ack(#[from] AckError),
    /// An incoming event was refused before, or instead of, running its handler.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A namespace that is not mounted was asked for.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The engine behind the adapter has not confirmed what it was given. On this server it is done.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// Not every server of the cluster answered in time.
    #[error("{missing} servers of the cluster have not answered")]
    Incomplete {
        /// How many did not.
        missing: usize,
    },
}

/// Drops what arrived: take it out first where it is of use.
impl<T> From<Incomplete<T>> for Error {
    fn from(incomplete: Incomplete<T>) -> Self {
        Self::Incomplete {
            missing: incomplete.missing,
        }
    }
}

/// Why an incoming event was refused before, or instead of, running its handler, or why its handler came to nothing.
///
/// Where the event's acknowledgement can carry an error, the client reads it there. Otherwise the namespace's
/// [`on_reject`](crate::Serve::on_reject) hook, a log line and, if switched on, an
/// [`exception`](crate::Serve::exceptions) event tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The client sent an argument of another form than the event declares.
    #[error("argument {argument}: {message}")]
    BadPayload {
        /// The position of the argument, from 0.
        argument: usize,
        /// What was expected and what came.
        message: String,
    },
    /// A check of the namespace, or an extractor of the handler, said no.
    #[error("{0}")]
    Refused(String),
    /// The namespace has no handler for the event.
    #[error("nothing handles this event")]
    Unhandled,
    /// The handler of an event without acknowledgement returned an error.
    #[error("{0}")]
    Failed(String),
    /// What the handler returned could not be encoded.
    #[error("the acknowledgement can't be encoded")]
    Unencodable,
    /// The handler panicked.
    #[error("internal error")]
    Panicked,
}

impl Rejection {
    /// What is logged of it: nothing that quotes what the client sent.
    #[cfg(feature = "server")]
    pub(crate) fn logged(&self) -> String {
        match self {
            Self::BadPayload { argument, .. } => format!("argument {argument} has another form"),
            other => other.to_string(),
        }
    }
}
