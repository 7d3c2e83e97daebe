//! The future of a handler that `#[handler]` made.

use super::respond::Outcome;
use crate::contract::Rejection;
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A handler that runs, or was rejected before it could.
    ///
    /// What `#[handler]` prints returns it in place of an async body of its own, which would be a second one for the compiler to
    /// check for each handler.
    #[doc(hidden)]
    #[project = HandlingProjection]
    #[must_use = "a handler runs when it is polled"]
    pub enum Handling<F: Future> {
        /// The handler, and how its output is answered.
        Running { #[pin] handler: F, respond: fn(F::Output) -> Outcome },
        /// Taken when it is polled.
        Rejected { rejection: Option<Rejection> },
    }
}

impl<F: Future> Handling<F> {
    /// A handler whose parameters were all there.
    pub fn new(handler: F, respond: fn(F::Output) -> Outcome) -> Self {
        Handling::Running { handler, respond }
    }

    /// A handler one of whose parameters was not.
    pub fn rejected(rejection: Rejection) -> Self {
        Handling::Rejected {
            rejection: Some(rejection),
        }
    }
}

impl<F: Future> Future for Handling<F> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        match self.project() {
            HandlingProjection::Running { handler, respond } => {
                let output = ready!(handler.poll(cx));
                Poll::Ready(respond(output))
            }
            HandlingProjection::Rejected { rejection } => {
                let rejection = rejection.take();
                Poll::Ready(Err(
                    rejection.expect("a future is not polled after it has resolved")
                ))
            }
        }
    }
}
