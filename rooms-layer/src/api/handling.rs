//! The future of a handler that `#[handler]` made.

use super::{extract::Call, respond::Outcome};
use crate::{
    contract::{Namespace, Rejection},
    wire::Args,
};
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

/// Takes the parameters of a handler out of a call, one after the other, and starts it: a function for each number of
/// extractors. What `#[handler]` prints is one call of such a function, because a body of any length has to be checked again
/// for each handler, and this one is checked here.
///
/// What it is given are function pointers: of a generic parameter the compiler would say a second time what is wrong with it.
macro_rules! starts {
    ($($function:ident $method:ident [$($extractor:ident)*];)*) => {$(
        starts!(@ $function ['a] () [] [$($extractor)*]);
        starts!(@ $method ['a, 'b, H] (block) [&'b H] [$($extractor)*]);
    )*};
    (@ $name:ident [$($generic:tt)*] ($($block:ident)?) [$($this:ty)?] [$($extractor:ident)*]) => {
        #[doc(hidden)]
        #[allow(non_snake_case, reason = "each extractor's type lends its name to its value")]
        #[allow(clippy::too_many_arguments, reason = "it stands in for a body with as many steps")]
        pub fn $name<$($generic)*, N: Namespace, $($extractor,)* E, F: Future>(
            $($block: $this,)?
            call: &'a Call<N>,
            $($extractor: fn(&'a Call<N>) -> Result<$extractor, Rejection>,)*
            decode: fn(&'a Args) -> Result<E, Rejection>,
            handler: fn($($this,)? $($extractor,)* E) -> F,
            respond: fn(F::Output) -> Outcome,
        ) -> Handling<F> {
            let parameters = (|| Ok(($($extractor(call)?,)* decode(call.args())?,)))();
            match parameters {
                Ok(($($extractor,)* event,)) => Handling::Running {
                    handler: handler($($block,)? $($extractor,)* event),
                    respond,
                },
                Err(rejection) => Handling::Rejected {
                    rejection: Some(rejection),
                },
            }
        }
    };
}
starts! {
    function_0 method_0 [];
    function_1 method_1 [A];
    function_2 method_2 [A B];
    function_3 method_3 [A B C];
    function_4 method_4 [A B C D];
    function_5 method_5 [A B C D G];
    function_6 method_6 [A B C D G K];
    function_7 method_7 [A B C D G K I];
    function_8 method_8 [A B C D G K I J];
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
