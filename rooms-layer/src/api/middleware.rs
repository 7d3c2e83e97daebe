//! What runs between an event and its handler.

use super::extract::Call;
use crate::contract::{Namespace, Rejection};
use std::{future::Future, pin::Pin};

/// Runs before the handler of each event of namespace `N`, and may take its time: see
/// [`Serve::middleware`](crate::Serve::middleware).
///
/// A closure is one when its future borrows nothing from the call; a type of your own may borrow:
///
/// ```
/// # use rooms_layer::{prelude::*, Call, Middleware, Rejection};
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn may(&self, _: &SocketId, _: &str) -> bool { true } }
/// struct Rights(Db);
///
/// impl<N: Namespace> Middleware<N> for Rights {
///     async fn before(&self, call: &Call<N>) -> Result<(), Rejection> {
///         match self.0.may(call.socket().id(), call.event_name()).await {
///             true => Ok(()),
///             false => Err(Rejection::Refused("that is not for you".to_owned())),
///         }
///     }
/// }
///
/// let main = |db: Db| Main::serve(()).middleware(Rights(db));
/// ```
pub trait Middleware<N: Namespace>: Send + Sync + 'static {
    /// Lets the event pass, or tells why not.
    ///
    /// # Errors
    ///
    /// Fails with what the client shall read, where the acknowledgement of the event can carry it.
    fn before(&self, call: &Call<N>) -> impl Future<Output = Result<(), Rejection>> + Send;
}

impl<N, F, Fut> Middleware<N> for F
where
    N: Namespace,
    F: Fn(&Call<N>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Rejection>> + Send + 'static,
{
    fn before(&self, call: &Call<N>) -> impl Future<Output = Result<(), Rejection>> + Send {
        self(call)
    }
}

/// A check that does not wait.
type Check<N> = Box<dyn Fn(&Call<N>) -> Result<(), Rejection> + Send + Sync>;
type Passing<'a> = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send + 'a>>;

/// One step on the way of an event to its handler.
pub(crate) enum Step<N: Namespace> {
    Check(Check<N>),
    Middleware(Box<dyn AnyMiddleware<N>>),
}

impl<N: Namespace> Step<N> {
    pub(crate) async fn pass(&self, call: &Call<N>) -> Result<(), Rejection> {
        match self {
            Step::Check(check) => check(call),
            Step::Middleware(middleware) => middleware.pass(call).await,
        }
    }
}

/// [`Middleware`], its type forgotten.
pub(crate) trait AnyMiddleware<N: Namespace>: Send + Sync {
    fn pass<'a>(&'a self, call: &'a Call<N>) -> Passing<'a>;
}
impl<N: Namespace, M: Middleware<N>> AnyMiddleware<N> for M {
    fn pass<'a>(&'a self, call: &'a Call<N>) -> Passing<'a> {
        Box::pin(self.before(call))
    }
}
