//! How servers acknowledge: the three shapes, written.

use crate::{
    contract::{Fallible, FromRejection, NoAck, Rejection, Reply, bounds::AckShape},
    wire::{Data, DataWriter, EncodeError},
};
use serde::Serialize;

/// How the shape of an acknowledgement answers a packet that was rejected.
pub trait AnswerRejection: AckShape {
    /// The answer, if this shape can carry one.
    fn answer(rejection: &Rejection) -> Option<Data>;
}
impl AnswerRejection for NoAck {
    fn answer(_: &Rejection) -> Option<Data> {
        None
    }
}
impl<T: Send + 'static> AnswerRejection for Reply<T> {
    fn answer(_: &Rejection) -> Option<Data> {
        None
    }
}
impl<T, E> AnswerRejection for Fallible<T, E>
where
    T: Send + 'static,
    E: FromRejection + Serialize + Send + 'static,
{
    fn answer(rejection: &Rejection) -> Option<Data> {
        failure(&E::from_rejection(rejection.clone())).ok()
    }
}

/// An acknowledgement with one argument.
pub(super) fn plain<T: Serialize>(value: &T) -> Result<Data, EncodeError> {
    let mut out = DataWriter::ack();
    out.push(value)?;
    Ok(out.finish())
}

/// The `Ok` half of [`Fallible`].
pub(super) fn success<T: Serialize>(value: &T) -> Result<Data, EncodeError> {
    #[derive(Serialize)]
    struct Success<'a, T> {
        ok: bool,
        value: &'a T,
    }
    plain(&Success { ok: true, value })
}

/// The `Err` half of [`Fallible`].
pub(super) fn failure<E: Serialize>(error: &E) -> Result<Data, EncodeError> {
    #[derive(Serialize)]
    struct Failure<'a, E> {
        ok: bool,
        error: &'a E,
    }
    plain(&Failure { ok: false, error })
}
