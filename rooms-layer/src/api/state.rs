//! `State`: parts of a namespace's state as parameters of handlers.

use super::extract::{Call, FromMessage};
use crate::contract::{Event, Namespace, Rejection};

/// A part of the namespace's state, or all of it.
///
/// With the feature `axum` it is an extractor of HTTP handlers too, and axum's own `State` is one of socket handlers: a file
/// that has both kinds of handlers imports either. The trait that takes a part out of the whole is then axum's `FromRef`.
///
/// ```
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone)] struct Db;
/// # impl Db { fn count(&self) -> u32 { 0 } }
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(client, ack = u32)]
/// struct CountTasks;
///
/// #[derive(Namespace)]
/// #[namespace(path = "/", state = Db, client(CountTasks))]
/// struct App;
///
/// #[handler(App)]
/// async fn count_tasks(State(db): State<Db>, _: CountTasks) -> u32 {
///     db.count()
/// }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct State<T>(pub T);

#[cfg(feature = "axum")]
pub use axum_core::extract::FromRef;

/// Takes a part out of a state.
#[cfg(not(feature = "axum"))]
pub trait FromRef<S> {
    /// Takes the part, by cloning it out.
    fn from_ref(state: &S) -> Self;
}
#[cfg(not(feature = "axum"))]
impl<T: Clone> FromRef<T> for T {
    fn from_ref(state: &T) -> T {
        state.clone()
    }
}

/// [`FromRef`], with an error of our own: the trait itself may be axum's.
#[diagnostic::on_unimplemented(
    message = "`State<{Self}>` can't be taken from the namespace state `{S}`",
    label = "not part of `{S}`",
    note = "`impl FromRef<{S}> for {Self}`, or change `#[namespace(state = ..)]`"
)]
pub trait FromState<S> {
    /// Takes the part.
    fn from_state(state: &S) -> Self;
}
#[diagnostic::do_not_recommend]
impl<S, T: FromRef<S>> FromState<S> for T {
    fn from_state(state: &S) -> T {
        T::from_ref(state)
    }
}

impl<N: Namespace, E: Event, T: FromState<N::State>> FromMessage<N, E> for State<T> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(State(T::from_state(call.state())))
    }
}
