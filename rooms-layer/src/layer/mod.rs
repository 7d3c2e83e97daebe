//! The tower layer.

use crate::{
    api::{
        Adapter, Dispatch, Handle, InMemory, Io, Main, Namespace, Serve, Served, StartError,
        StartProblem,
        bounds::{Accepts, CanRecover, HandlerSet, IntoHandler, IntoServed},
        identity,
    },
    namespace::Hub,
};
use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

/// A `tower::Layer` that serves Socket.IO and gives every request the way to an [`Io`].
///
/// With nothing mounted it serves `/` as the open namespace [`Main`]: enough for an application whose HTTP handlers emit.
///
/// ```no_run
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(broadcast)]
/// struct Chat {
///     message: String,
/// }
///
/// let rooms = RoomsLayer::new().on(async |socket: Socket<Main>, chat: Chat| {
///     socket.io().emit(chat).ok();
/// });
/// let app: axum::Router = axum::Router::new().layer(rooms);
/// ```
pub struct RoomsLayer<A: Adapter = InMemory> {
    hub: Arc<Hub>,
    plan: Arc<Mutex<Plan>>,
    adapter: PhantomData<fn() -> A>,
}

/// What is decided before the first request.
#[derive(Debug, Default)]
struct Plan {
    /// Handlers of `/` that were given to the layer itself.
    main: Option<Serve<Main>>,
    /// Whether a namespace was mounted, so that `/` is not ours to add.
    mounted: bool,
    recovery: Option<Duration>,
    problems: Vec<StartProblem>,
}

impl RoomsLayer {
    /// A layer for a single server.
    pub fn new() -> Self {
        Self::with_adapter(InMemory)
    }
}

impl Default for RoomsLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Adapter> RoomsLayer<A> {
    /// A layer whose servers are connected by an adapter.
    pub fn with_adapter(_adapter: A) -> Self {
        RoomsLayer {
            hub: new_hub(),
            plan: Arc::default(),
            adapter: PhantomData,
        }
    }

    /// Serves a namespace: `App::serve(state)` and what follows it, or the [`Served`] that a function returned. In a closed
    /// namespace every client event must have a handler by now.
    pub fn namespace<S: IntoServed>(self, namespace: S) -> Self {
        self.plan().mount(&self.hub, namespace.into_served());
        self
    }

    /// Handles an event of [`Main`], the open namespace `/`. Calls accumulate.
    pub fn on<H, M>(self, handler: H) -> Self
    where
        H: IntoHandler<Main, M>,
        Main: Accepts<H::Event, Slot = ()>,
    {
        self.plan().change_main(|main| main.on(handler));
        self
    }

    /// Handles events of [`Main`], the open namespace `/`, with the methods of a `#[handler]` block. Calls accumulate.
    pub fn handlers<H: HandlerSet<Main>>(self, block: H) -> Self {
        self.plan().change_main(|mut main| {
            main.register(block);
            main
        });
        self
    }

    /// The handle to everyone in a namespace, mounted by now or later.
    ///
    /// # Panics
    ///
    /// Panics when the path of `N` is served under another contract.
    pub fn io<N: Namespace>(&self) -> Io<N> {
        match reserve(&self.hub, N::PATH, identity::<N>()) {
            Ok(core) => Io::new(core),
            Err(error) => panic!("{error}"),
        }
    }

    /// Lets clients that come back within `max` find their rooms and what they missed.
    pub fn recovery(self, max: Duration) -> Self
    where
        A: CanRecover,
    {
        self.plan().recovery = Some(max);
        self
    }

    /// Ends the preparations.
    ///
    /// Applying the layer does this too, and panics where this returns an error.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong with how the layer was put together.
    pub fn check(&self) -> Result<(), StartError> {
        let mut plan = self.plan();
        plan.mount_main(&self.hub);
        StartError::check(&plan.problems)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // A panic while the lock is held leaves a plan that is complete up to the call that panicked.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn change_main(&mut self, change: impl FnOnce(Serve<Main>) -> Serve<Main>) {
        let main = self.main.take().unwrap_or_else(|| Main::serve(()));
        self.main = Some(change(main));
    }

    fn mount_main(&mut self, hub: &Arc<Hub>) {
        let main = match self.main.take() {
            Some(main) => main,
            None if self.mounted => return,
            None => Main::serve(()),
        };
        self.mount(hub, main.build());
    }

    fn mount<N: Namespace>(&mut self, hub: &Arc<Hub>, mut served: Served<N>) {
        self.mounted = true;
        self.problems.append(&mut served.shared.registry.problems);
        let handlers = Arc::new(Dispatch::new(served));
        if let Err(error) = hub.mount(N::PATH, identity::<N>(), handlers) {
            self.problems.push(error.into());
        }
    }
}

impl<A: Adapter> Clone for RoomsLayer<A> {
    fn clone(&self) -> Self {
        RoomsLayer {
            hub: self.hub.clone(),
            plan: self.plan.clone(),
            adapter: PhantomData,
        }
    }
}

impl<A: Adapter> fmt::Debug for RoomsLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomsLayer")
            .field("adapter", &A::NAME)
            .field("plan", &*self.plan())
            .finish_non_exhaustive()
    }
}

impl<A: Adapter, S> tower_layer::Layer<S> for RoomsLayer<A> {
    type Service = RoomsService<S>;

    /// # Panics
    ///
    /// Panics where [`check`](RoomsLayer::check) returns an error: at the start of the server, never in a request.
    fn layer(&self, inner: S) -> RoomsService<S> {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        RoomsService {
            inner,
            handle: Handle::new::<A>(self.hub.clone()),
        }
    }
}

/// The service that [`RoomsLayer`] makes.
#[derive(Clone, Debug)]
pub struct RoomsService<S> {
    inner: S,
    handle: Handle,
}

impl<S, B> tower_service::Service<http::Request<B>> for RoomsService<S>
where
    S: tower_service::Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        request.extensions_mut().insert(self.handle.clone());
        self.inner.call(request)
    }
}

/// Stands in for `Hub::new`.
fn new_hub() -> Arc<Hub> {
    Arc::new(Hub)
}

/// Stands in for `Hub::reserve`.
fn reserve(
    hub: &Arc<Hub>,
    path: &'static str,
    contract: (std::any::TypeId, &'static str),
) -> Result<Arc<crate::namespace::Namespace>, crate::namespace::MountError> {
    hub.namespace(path, contract)
}
