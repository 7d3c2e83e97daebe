//! What handlers return, checked against the acknowledgement that the event declares.

use super::ack::{failure, plain, success};
use crate::{
    contract::{Event, Fallible, NoAck, Rejection, Reply},
    wire::{Data, EncodeError},
};
use serde::Serialize;
use std::{fmt, fmt::Display, marker::PhantomData};

/// What a handler came to: its acknowledgement, or why there is none.
pub type Outcome = Result<Answer, Rejection>;

/// The acknowledgement of one event, encoded; nothing where none is due.
#[derive(Debug)]
pub struct Answer(Option<Data>);

impl Answer {
    pub(crate) fn into_data(self) -> Option<Data> {
        self.0
    }
}

/// A return value of a handler for `E`.
#[diagnostic::on_unimplemented(
    message = "a handler for `{E}` can't return `{Self}`",
    label = "does not match the acknowledgement `{E}` declares",
    note = "no `ack`: return `()` or `Result<(), impl Display>`; `ack = T`: return `T`; `ack = Result<T, E>`: return `Result<T, impl Into<E>>`; with `Ack<{E}>`: return `Replied<{E}>`"
)]
pub trait Responder<E: Event> {
    /// Encodes the acknowledgement.
    ///
    /// # Errors
    ///
    /// Fails when the acknowledgement can't be encoded, or when the handler failed and the event declares none.
    fn respond(self) -> Outcome;
}

/// [`Responder`], by the shape of the acknowledgement.
#[doc(hidden)]
pub trait RespondAs<A> {
    fn respond_as(self) -> Outcome;
}
#[diagnostic::do_not_recommend]
impl<E: Event, T: RespondAs<E::Ack>> Responder<E> for T {
    fn respond(self) -> Outcome {
        self.respond_as()
    }
}

impl RespondAs<NoAck> for () {
    fn respond_as(self) -> Outcome {
        Ok(Answer(None))
    }
}
impl<D: Display> RespondAs<NoAck> for Result<(), D> {
    fn respond_as(self) -> Outcome {
        match self {
            Ok(()) => Ok(Answer(None)),
            Err(error) => Err(Rejection::Failed(error.to_string())),
        }
    }
}
impl<T: Serialize> RespondAs<Reply<T>> for T {
    fn respond_as(self) -> Outcome {
        encoded(plain(&self))
    }
}
impl<T: Serialize, E: Serialize, X: Into<E>> RespondAs<Fallible<T, E>> for Result<T, X> {
    fn respond_as(self) -> Outcome {
        encoded(match self {
            Ok(value) => success(&value),
            Err(error) => failure::<E>(&error.into()),
        })
    }
}
impl<A> RespondAs<A> for RepliedAs<A> {
    fn respond_as(self) -> Outcome {
        self.sent.map(|()| Answer(None))
    }
}

fn encoded(data: Result<Data, EncodeError>) -> Outcome {
    match data {
        Ok(data) => Ok(Answer(Some(data))),
        Err(error) => {
            tracing::error!(%error, "an acknowledgement can't be encoded");
            Err(Rejection::Unencodable)
        }
    }
}

/// Proof that [`Ack::send`](crate::Ack::send) was called: what a handler that takes an [`Ack`](crate::Ack) returns.
pub type Replied<E> = RepliedAs<<E as Event>::Ack>;

/// [`Replied`], by the shape of the acknowledgement.
#[must_use = "return it from the handler"]
pub struct RepliedAs<A> {
    sent: Result<(), Rejection>,
    shape: PhantomData<fn() -> A>,
}

impl<A> RepliedAs<A> {
    pub(crate) fn new(sent: Result<(), Rejection>) -> Self {
        RepliedAs {
            sent,
            shape: PhantomData,
        }
    }
}
impl<A> fmt::Debug for RepliedAs<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replied").field(&self.sent).finish()
    }
}
