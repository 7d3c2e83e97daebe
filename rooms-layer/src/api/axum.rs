//! The parts that only an axum application needs.

use super::{
    extract::{Call, FromMessage},
    handle::{Handle, MissingIo},
    state::{FromRef, FromState, State},
};
use crate::{
    contract::{Error, Event, Io, Namespace, Rejection, bounds::StaticNamespace},
    rooms::{Adapter, EmitError},
};
use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use std::convert::Infallible;

/// The way to dynamic namespaces: `handle.at(Workspace { id })`.
impl<S: Sync> FromRequestParts<S> for Handle {
    type Rejection = MissingIo;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingIo> {
        let handle = parts.extensions.get::<Handle>();
        handle.cloned().ok_or(MissingIo::Layer)
    }
}

impl<N: Namespace<Contract: StaticNamespace>, S: Sync> FromRequestParts<S> for Io<N> {
    type Rejection = MissingIo;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingIo> {
        Io::from_extensions(&parts.extensions)
    }
}

impl<N, A, S> FromRequestParts<S> for Io<N, A>
where
    N: Namespace<Contract: StaticNamespace>,
    A: Adapter,
    S: Sync,
{
    type Rejection = MissingIo;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MissingIo> {
        let handle = parts.extensions.get::<Handle>();
        handle.ok_or(MissingIo::Layer)?.io_with::<N, A>()
    }
}

/// Our `State` in HTTP handlers.
impl<T: FromRef<S>, S: Sync> FromRequestParts<S> for State<T> {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(State(T::from_ref(state)))
    }
}

/// axum's `State` in socket handlers.
impl<N, E, T> FromMessage<N, E> for axum::extract::State<T>
where
    N: Namespace,
    E: Event,
    T: FromState<N::State>,
{
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(axum::extract::State(T::from_state(call.state())))
    }
}

impl IntoResponse for MissingIo {
    fn into_response(self) -> Response {
        // A mistake in how the router is built: whoever builds it is the one who reads this.
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}

impl IntoResponse for EmitError {
    fn into_response(self) -> Response {
        Error::from(self).into_response()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "an HTTP handler failed");
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
