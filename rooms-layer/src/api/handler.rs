//! Handlers: functions, closures and blocks of methods, made alike.

use super::{
    ack::AnswerRejection,
    extract::{Call, FromMessage},
    registry::{Entry, Registry},
    respond::{Outcome, Responder},
};
use crate::{
    contract::{
        Event, Namespace, Rejection,
        bounds::{AcceptedBy, ClientEvent, DecodeOwned},
    },
    wire::Data,
};
use std::{any::type_name, future::Future, sync::Arc};

/// A handler of one event. `#[handler]` implements it.
pub trait Handler<N: Namespace>: Send + Sync + 'static {
    /// The event it handles.
    type Event: Event<Ack: AnswerRejection>;
    /// Takes the parameters out of the call, and runs the handler.
    fn call(&self, call: &Call<N>) -> impl Future<Output = Outcome> + Send;
}

/// Something `.on(..)` accepts: a `#[handler]` function or an async closure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler for namespace `{N}`",
    label = "not a handler",
    note = "handlers are async, end with the event they handle and start with extractors; put `#[handler]` on the function to see which part is wrong",
    note = "a closure that captures is written `move |socket: Socket<{N}>, event: MyEvent| {{ let db = db.clone(); async move {{ .. }} }}`; an event that borrows needs `#[handler]`"
)]
pub trait IntoHandler<N: Namespace, M> {
    /// The event it handles.
    type Event: Event;
    /// What errors call it.
    #[doc(hidden)]
    type Name;
    /// Makes the handler callable without knowing its type.
    #[doc(hidden)]
    fn into_entry(self) -> Entry<N>;
}

/// Marks what `#[handler]` made.
#[derive(Debug)]
pub enum ViaMacro {}

/// `#[handler]` makes a type of a function, and a function that returns it: unlike the name of a constant, that of a function
/// may be given to a parameter or a variable.
#[diagnostic::do_not_recommend]
impl<N: Namespace, F: FnOnce() -> H, H: Handler<N>> IntoHandler<N, ViaMacro> for F {
    type Event = H::Event;
    type Name = H;

    fn into_entry(self) -> Entry<N> {
        let handler = Arc::new(self());
        let answer = answer::<H::Event>;
        Entry {
            handler: type_name::<H>(),
            answer,
            run: Box::new(move |call| {
                let handler = handler.clone();
                Box::pin(async move {
                    let outcome = handler.call(&call).await;
                    call.conclude(outcome, answer);
                })
            }),
        }
    }
}

macro_rules! closures {
    ($($extractor:ident)*) => {
        #[diagnostic::do_not_recommend]
        #[allow(non_snake_case, reason = "each extractor's type lends its name to its value")]
        impl<N, F, Fut, $($extractor,)* E> IntoHandler<N, fn($($extractor,)* E)> for F
        where
            N: Namespace,
            F: Fn($($extractor,)* E) -> Fut + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: Responder<E>,
            $($extractor: FromMessage<N, E> + Send + 'static,)*
            E: Event + ClientEvent + DecodeOwned + Send + 'static,
            E::Ack: AnswerRejection,
        {
            type Event = E;
            type Name = F;

            fn into_entry(self) -> Entry<N> {
                let function = Arc::new(self);
                let answer = answer::<E>;
                Entry {
                    handler: type_name::<F>(),
                    answer,
                    run: Box::new(move |call| {
                        let function = function.clone();
                        Box::pin(async move {
                            let parameters = (|| {
                                $(let $extractor = $extractor::from_message(&call)?;)*
                                Ok(($($extractor,)* E::decode(call.args())?,))
                            })();
                            let outcome = match parameters {
                                Ok(($($extractor,)* event,)) => {
                                    function($($extractor,)* event).await.respond()
                                }
                                Err(rejection) => Err(rejection),
                            };
                            call.conclude(outcome, answer);
                        })
                    }),
                }
            }
        }
    };
}
closures!();
closures!(A);
closures!(A B);
closures!(A B C);
closures!(A B C D);
closures!(A B C D G);

/// The methods of a block that are marked `#[on]` and the like. `#[handler]` on an `impl` block implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a block of handlers for namespace `{N}`",
    note = "put `#[handler({N})]` on its `impl` block and `#[on]` on each method that handles an event"
)]
pub trait HandlerSet<N: Namespace>: Send + Sync + 'static {
    /// The events it handles, as a balanced tree.
    #[doc(hidden)]
    type Events;
    /// Registers each method.
    #[doc(hidden)]
    fn register(self: Arc<Self>, into: &mut Registry<N>);
}

/// One method of the block `H`. `#[handler]` implements it.
///
/// `Self` is the event: the compiler compares each implementation with all others that have the same `Self`.
#[doc(hidden)]
pub trait HandledBy<N: Namespace, H>: Event<Ack: AnswerRejection> {
    fn handle(block: &H, call: &Call<N>) -> impl Future<Output = Outcome> + Send;
}

/// Registers one method of a block. Its name is for errors.
#[doc(hidden)]
pub fn register_method<N, E, H>(block: &Arc<H>, method: &'static str, into: &mut Registry<N>)
where
    N: Namespace,
    E: HandledBy<N, H> + AcceptedBy<N::Contract> + 'static,
    H: Send + Sync + 'static,
{
    let block = block.clone();
    let answer = answer::<E>;
    let entry = Entry {
        handler: method,
        answer,
        run: Box::new(move |call| {
            let block = block.clone();
            Box::pin(async move {
                let outcome = E::handle(&block, &call).await;
                call.conclude(outcome, answer);
            })
        }),
    };
    into.add(E::NAME, entry);
}

/// How the acknowledgement of `E` answers a rejected packet.
fn answer<E: Event<Ack: AnswerRejection>>(rejection: &Rejection) -> Option<Data> {
    E::Ack::answer(rejection)
}
