//! The tower layer: where a server is put together, and the service that it makes of another one.

mod config;
#[cfg(feature = "metrics")]
mod metrics;
mod service;
mod stats;

use crate::{
    api::{
        Dispatch, Handle, NamespaceExt, Serve, Served, StartError, StartProblem,
        bounds::{HandlerSet, IntoHandler, IntoServed},
        identity,
    },
    contract::{
        DynamicNamespace, Io, Main, Namespace, Paths,
        bounds::{AcceptedBy, CanRecover, StaticNamespace},
    },
    engine::Mailbox,
    handshake::HandshakeInfo,
    memory::InMemory,
    namespace::{Conversation, Hub, Pattern},
    rooms::{Adapter, MountError, RecoveryConfig},
    transport::{self, Accept, HttpConfig, stream_pipe},
};
use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::{config::Config, service::RoomsService, stats::Stats};

/// What answers the requests on our path.
type Server = transport::Server<Arc<Hub>>;

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
    server: Arc<OnceLock<Arc<Server>>>,
    adapter: PhantomData<fn() -> A>,
}

/// What is decided before the first request.
#[derive(Debug, Default)]
struct Plan {
    /// Handlers of `/` that were given to the layer itself.
    main: Option<Serve<Main>>,
    /// Whether a namespace was mounted, so that `/` is not ours to add.
    mounted: bool,
    /// What the transport obeys.
    http: Option<HttpConfig>,
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
    pub fn with_adapter(adapter: A) -> Self {
        RoomsLayer {
            hub: Hub::new(Box::new(adapter)),
            plan: Arc::default(),
            server: Arc::default(),
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
        H::Event: AcceptedBy<Main, Slot = ()>,
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
    pub fn io<N>(&self) -> Io<N>
    where
        N: Namespace<Contract: StaticNamespace>,
    {
        match self.hub.reserve(N::PATH, identity::<N>(), None) {
            Ok(core) => Io::over(core),
            Err(error) => panic!("{error}"),
        }
    }

    /// [`io`](Self::io), with what only the adapter of this layer can do.
    ///
    /// # Panics
    ///
    /// Panics when the path of `N` is served under another contract.
    pub fn io_with<N>(&self) -> Io<N, A>
    where
        N: Namespace<Contract: StaticNamespace>,
    {
        self.io::<N>().cast()
    }

    /// The handle to one of the namespaces `N`, mounted by now: `rooms.at(Workspace { id })`. See [`DynamicNamespace`].
    ///
    /// # Errors
    ///
    /// Fails when `N` is not mounted, or the path is served under another contract, and when there are as many dynamic
    /// namespaces as there may be.
    pub fn at<N: DynamicNamespace>(&self, namespace: N) -> Result<Io<N>, MountError> {
        let core = self.hub.at(&namespace.path(), identity::<N>())?;
        Ok(Io::over(core))
    }

    /// How many dynamic namespaces there are.
    pub fn dynamic_namespaces(&self) -> usize {
        self.hub.children()
    }

    /// Sets the configuration. It is set once, before the layer is applied.
    pub fn config(self, config: Config) -> Self {
        let mut plan = self.plan();
        if let Some(problem) = config.problem() {
            plan.problems.push(StartProblem::Config(problem));
        }
        let fresh = self.hub.engine().configure(config.engine)
            && self.hub.configure(config.namespace)
            && plan.http.replace(config.http).is_none();
        if !fresh {
            let problem = "the configuration is set twice, or after the layer was applied";
            plan.problems.push(StartProblem::Config(problem));
        }
        drop(plan);
        self
    }

    /// Has clients come back to what they were when their connection broke: with the same id, in the same rooms, and with the
    /// events that they missed, in order. It is set once, before the layer is applied, and holds for every namespace.
    ///
    /// Within the window, a client that comes back has missed nothing and got nothing twice, or it is a new one, with a new id
    /// and in no room: [`Socket::recovered`](crate::Socket::recovered) tells, here and in the stock client. Events with an
    /// acknowledgement and volatile ones are not among what it gets. `authorize` runs again and makes the socket's data anew.
    ///
    /// Clients find the place of an event in an argument that is added at its end.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, RecoveryConfig};
    /// # use std::time::Duration;
    /// let rooms = RoomsLayer::new().recovery(RecoveryConfig::default().window(Duration::from_secs(300)));
    /// ```
    pub fn recovery(self, config: RecoveryConfig) -> Self
    where
        A: CanRecover,
    {
        let mut plan = self.plan();
        if let Some(problem) = config.problem() {
            plan.problems.push(StartProblem::Config(problem));
        }
        if !self.hub.recover(config) {
            let problem =
                "the recovery is set twice, or after an event was emitted or the layer applied";
            plan.problems.push(StartProblem::Config(problem));
        }
        drop(plan);
        self
    }

    /// Serves one connection that speaks WebSocket already: for servers that do the upgrade themselves, or whose upgrade
    /// can't be reached by a layer. The future resolves when the connection is over and its handlers have ended.
    ///
    /// `request` is the handshake's, for what handlers read of it; whether it is one of ours is not looked at. Its `EIO` is: a
    /// client of Engine.IO 3 is served as one where [`Config::allow_eio3`] says so.
    ///
    /// # Panics
    ///
    /// Panics where [`check`](Self::check) returns an error, and outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the connection and the handlers that run on it.
    ///
    /// ```
    /// # use rooms_layer::RoomsLayer;
    /// async fn serve(rooms: RoomsLayer, request: http::Request<()>, upgraded: tokio::net::TcpStream) {
    ///     rooms.accept(&request, upgraded).await;
    /// }
    /// ```
    pub fn accept<B, S>(
        &self,
        request: &http::Request<B>,
        upgraded: S,
    ) -> impl Future<Output = ()> + Send + use<A, B, S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.server().connect(stream_pipe(upgraded), request)
    }

    /// How many connections are open, those included whose client has joined no namespace.
    pub fn connections(&self) -> usize {
        self.hub.engine().connections()
    }

    /// What the server is doing and what has happened on it: for logs, dashboards and alarms.
    ///
    /// Looks at every connection and every namespace once, so it is for once a second at most.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.hub)
    }

    /// Closes every connection, after what is queued for it has been sent. Clients are not told to stay away: they connect
    /// again, to the next server behind the same address. Emits fail from now on.
    pub fn close(&self) {
        self.hub.close();
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
        let unmounted = self.hub.unmounted();
        let problems = plan.problems.iter().cloned();
        StartError::check(
            problems
                .chain(unmounted.into_iter().map(Into::into))
                .collect(),
        )
    }

    /// A connection for the test kit, with its mailbox.
    #[cfg(feature = "test")]
    pub(crate) fn test_connection(
        &self,
        pipe: Arc<dyn crate::engine::Pipe>,
    ) -> (impl Future<Output = ()> + Send + use<A>, Arc<Mailbox>) {
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::from_static("/socket.io/?EIO=4&transport=websocket");
        let connection = self.server().connect(pipe, &request);
        let mailbox = connection.mailbox().clone();
        (connection, mailbox)
    }

    /// The handle to one of the namespaces `N`, which nobody serves.
    #[cfg(feature = "test")]
    pub(crate) fn reserve<N: DynamicNamespace>(&self, namespace: N) -> Io<N> {
        let path = namespace.path();
        let values = Some(Box::new(namespace) as Box<_>);
        match self.hub.reserve(&path, identity::<N>(), values) {
            Ok(core) => Io::over(core),
            Err(error) => panic!("{error}"),
        }
    }

    /// What serves requests. It is made once, which ends the preparations.
    fn server(&self) -> Arc<Server> {
        self.server.get_or_init(|| self.make_server()).clone()
    }

    fn make_server(&self) -> Arc<Server> {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        self.hub.open_channels();
        let http = self.plan().http.take();
        let http = http.unwrap_or_else(|| Config::default().http);
        let engine = self.hub.engine().clone();
        Arc::new(Server::new(engine, self.hub.clone(), http))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // A panic while the lock is held leaves a plan that is complete up to the call that panicked.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections are for conversations in namespaces.
impl Accept for Arc<Hub> {
    type Inbound = Conversation;

    fn accept(&self, mailbox: &Arc<Mailbox>, _sid: &str, request: HandshakeInfo) -> Conversation {
        Conversation::new(self.clone(), mailbox.clone(), Arc::new(request))
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
        let (contract, handlers) = (identity::<N>(), Dispatch::handlers(served));
        let mounted = match N::paths() {
            Some(Paths {
                text,
                parse,
                samples,
            }) => {
                let pattern = Pattern {
                    text,
                    parse,
                    samples,
                };
                hub.mount_pattern(pattern, contract, handlers)
            }
            None => hub.mount(N::PATH, contract, handlers),
        };
        if let Err(error) = mounted {
            self.problems.push(error.into());
        }
    }
}

impl CanRecover for InMemory {}

impl<A: Adapter> Clone for RoomsLayer<A> {
    fn clone(&self) -> Self {
        RoomsLayer {
            hub: self.hub.clone(),
            plan: self.plan.clone(),
            server: self.server.clone(),
            adapter: PhantomData,
        }
    }
}

impl<A: Adapter> fmt::Debug for RoomsLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomsLayer")
            .field("adapter", &self.hub.adapter().name())
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
        let handle = Handle::new::<A>(self.hub.clone());
        RoomsService::new(inner, self.server(), handle)
    }
}
