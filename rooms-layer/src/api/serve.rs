//! A namespace being put together.

use super::{
    ack::AnswerRejection,
    extract::Call,
    fallback::{AnyEvent, Incoming, Outgoing},
    handler::{HandlerSet, IntoHandler},
    handshake::Handshake,
    middleware::{Middleware, Step},
    registry::{HookOutput, Registry, Shared},
    respond::Responder,
    server_events,
    socket::Socket,
};
use crate::{
    contract::{
        Event, Io, Namespace, NoAuth, Rejection,
        bounds::{AcceptedBy, ClusterEvent, Complete, DecodeOwned},
        private::{Take, TakeAll},
    },
    namespace::{Refuse, SlowClients},
    session::DisconnectReason,
};
use std::{fmt, future::Future, marker::PhantomData, sync::Arc};

/// A namespace being put together: its handlers, its hooks, its choices.
///
/// `L` is what is handled so far and `G` whether somebody guards the door; both are for the compiler. A function that returns
/// a namespace says `Served<App>` and ends with [`build`](Serve::build).
///
/// ```
/// # use rooms_layer::{prelude::*, Served};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone)] struct Db;
/// #[derive(Deserialize)]
/// struct Token {
///     user: String,
/// }
///
/// struct Session {
///     user: String,
/// }
///
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(client, ack = String)]
/// struct WhoAmI;
///
/// #[derive(Namespace)]
/// #[namespace(path = "/", auth = Token, data = Session, state = Db, client(WhoAmI))]
/// struct App;
///
/// #[handler(App)]
/// async fn who_am_i(socket: Socket<App>, _: WhoAmI) -> String {
///     socket.data().user.clone()
/// }
///
/// async fn authorize(handshake: Handshake<App>) -> Result<Session, Refuse> {
///     match handshake.auth.user {
///         user if user.is_empty() => Err(Refuse::new("who are you?")),
///         user => Ok(Session { user }),
///     }
/// }
///
/// fn app(db: Db) -> Served<App> {
///     App::serve(db).authorize(authorize).on(who_am_i).build()
/// }
/// ```
#[must_use = "pass it to `RoomsLayer::namespace`"]
pub struct Serve<N: Namespace, L = <N as Namespace>::Unhandled, G = Unguarded> {
    state: N::State,
    registry: Registry<N>,
    kind: PhantomData<fn() -> (L, G)>,
}

/// Where the contract of `N` keeps account of the handler of `E`.
type Slot<N, E> = <E as AcceptedBy<<N as Namespace>::Contract>>::Slot;
/// What is handled once `H` handles `E` as well.
type After<N, L, H, E> = <Slot<N, E> as Take<L, H, E>>::Then;
/// What is handled once the block `H` handles its events as well.
type AfterAll<N, L, H> =
    <<H as HandlerSet<N>>::Events as TakeAll<<N as Namespace>::Contract, L, H>>::Then;

/// A namespace that lacks nothing: what [`Serve::build`] makes of one.
#[must_use = "pass it to `RoomsLayer::namespace`"]
pub struct Served<N: Namespace> {
    pub(crate) shared: Shared<N>,
}

/// What [`RoomsLayer::namespace`](crate::RoomsLayer::namespace) takes: a [`Serve`] that lacks nothing, or a [`Served`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a namespace to mount",
    note = "pass what `App::serve(state)` and the calls behind it return"
)]
pub trait IntoServed {
    /// The namespace.
    type Namespace: Namespace;
    /// Checks that nothing is missing.
    fn into_served(self) -> Served<Self::Namespace>;
}
impl<N: Complete<L>, L, G: Guard<N>> IntoServed for Serve<N, L, G> {
    type Namespace = N;
    fn into_served(self) -> Served<N> {
        self.build()
    }
}
impl<N: Namespace> IntoServed for Served<N> {
    type Namespace = N;
    fn into_served(self) -> Served<N> {
        self
    }
}

/// Nothing authorizes clients: anyone connects, and the data of a socket is its type's default. Not where clients are asked for
/// `auth`, which would be asked in vain.
#[derive(Debug)]
pub enum Unguarded {}
/// `authorize` decides who connects.
#[derive(Debug)]
pub enum Guarded {}

/// Where the data of a socket comes from.
#[diagnostic::on_unimplemented(
    message = "namespace `{N}` needs `.authorize(..)`",
    label = "nothing decides who connects",
    note = "it asks clients for `auth`, which nobody would look at, or its per-socket `data` has no default",
    note = "`authorize` runs before the socket is accepted and returns the `Data` of `{N}`"
)]
pub trait Guard<N: Namespace> {
    /// Makes the data where nothing authorizes.
    #[doc(hidden)]
    fn default_data() -> Option<fn() -> N::Data>;
}
impl<N: Namespace> Guard<N> for Guarded {
    fn default_data() -> Option<fn() -> N::Data> {
        None
    }
}
#[diagnostic::do_not_recommend]
impl<N: Namespace<Auth = NoAuth, Data: Default>> Guard<N> for Unguarded {
    fn default_data() -> Option<fn() -> N::Data> {
        Some(N::Data::default)
    }
}

/// What a server does with a [`Namespace`]: `App::serve(state)`. It is in the [prelude](crate::prelude).
///
/// Apart from that trait, since whoever only emits has namespaces too, and serves none.
pub trait NamespaceExt: Namespace {
    /// Begins to serve the namespace.
    fn serve(state: Self::State) -> Serve<Self> {
        Serve::new(state)
    }
}
impl<N: Namespace> NamespaceExt for N {}

impl<N: Namespace> Serve<N> {
    fn new(state: N::State) -> Self {
        Serve {
            state,
            registry: Registry::new(),
            kind: PhantomData,
        }
    }
}

impl<N: Namespace, L, G> Serve<N, L, G> {
    /// Handles one event. A second handler for an event does not compile in a closed namespace, and stops the server at its
    /// start in an open one.
    #[expect(
        clippy::type_complexity,
        reason = "an alias would hide what is counted"
    )]
    pub fn on<H, M>(mut self, handler: H) -> Serve<N, After<N, L, H::Name, H::Event>, G>
    where
        H: IntoHandler<N, M>,
        H::Event: AcceptedBy<N::Contract>,
        Slot<N, H::Event>: Take<L, H::Name, H::Event>,
    {
        self.registry
            .add(<H::Event as Event>::NAME, handler.into_entry());
        self.cast()
    }

    /// Handles the events of every method of a `#[handler]` block that is marked `#[on]`, and runs its hooks.
    pub fn handlers<H>(mut self, block: H) -> Serve<N, AfterAll<N, L, H>, G>
    where
        H: HandlerSet<N>,
        H::Events: TakeAll<N::Contract, L, H>,
    {
        self.register(block);
        self.cast()
    }

    /// Decides who connects. What it returns is the socket's data; a refusal reaches the client as `connect_error`.
    pub fn authorize<F, Fut>(mut self, authorize: F) -> Serve<N, L, Guarded>
    where
        F: Fn(Handshake<N>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<N::Data, Refuse>> + Send + 'static,
    {
        self.registry.authorize = Some(Box::new(move |handshake| Box::pin(authorize(handshake))));
        self.cast()
    }

    /// Runs when a client has connected.
    pub fn on_connect<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Socket<N>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.registry.connected(hook);
        self
    }

    /// Runs when a client is about to leave; its rooms are still there.
    pub fn on_disconnecting<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Socket<N>, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.registry.disconnecting(hook);
        self
    }

    /// Runs when a client has left; its rooms are gone.
    pub fn on_disconnect<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Socket<N>, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.registry.disconnected(hook);
        self
    }

    /// Sees every incoming event before its handler runs, as `socket.onAny` does in Node: for logs and counters.
    pub fn on_any<F>(mut self, observer: F) -> Self
    where
        F: Fn(&Socket<N>, Incoming<'_>) + Send + Sync + 'static,
    {
        self.registry.observers.push(Box::new(observer));
        self
    }

    /// Sees every event that is emitted to a socket of this server, broadcasts and those of other servers included, as
    /// `socket.onAnyOutgoing` does in Node: once for each socket, before the event is queued (where clients
    /// may [come back](crate::RoomsLayer::recovery): after it), whether it arrives or not.
    ///
    /// Without an observer it costs nothing; with one, each event is read back and each recipient is a call.
    ///
    /// ```
    /// # use rooms_layer::prelude::*;
    /// let main = Main::serve(()).on_any_outgoing(|socket, event| {
    ///     println!("{} to {:?}", event.name(), socket.id());
    /// });
    /// ```
    pub fn on_any_outgoing<F>(mut self, observer: F) -> Self
    where
        F: Fn(&Socket<N>, Outgoing<'_>) + Send + Sync + 'static,
    {
        self.registry.outgoing_observers.push(Box::new(observer));
        self
    }

    /// Checks every event before its handler runs: rate limits, rights. Checks and [middleware](Serve::middleware) run in the
    /// order in which they were added. What a check returns as an error is answered as any rejection is.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, Rejection, Serve};
    /// # fn too_fast(_: &SocketId) -> bool { false }
    /// let main = Main::serve(()).before(|call| match too_fast(call.socket().id()) {
    ///     true => Err(Rejection::Refused("slow down".to_owned())),
    ///     false => Ok(()),
    /// });
    /// ```
    pub fn before<F>(mut self, check: F) -> Self
    where
        F: Fn(&Call<N>) -> Result<(), Rejection> + Send + Sync + 'static,
    {
        self.registry.steps.push(Step::Check(Box::new(check)));
        self
    }

    /// Runs something before the handler of each event that may have to wait: a look at a database, a quota. An error is
    /// answered as any rejection is, and the handler does not run.
    ///
    /// A handler starts when the middleware of its event has ended. Later events of the same client do not wait for that, unless
    /// they are handled [one at a time](Serve::one_at_a_time).
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, Call, Rejection};
    /// # async fn quota_is_left(_: SocketId) -> bool { true }
    /// let main = Main::serve(()).middleware(|call: &Call<Main>| {
    ///     let id = call.socket().id().clone();
    ///     async move {
    ///         match quota_is_left(id).await {
    ///             true => Ok(()),
    ///             false => Err(Rejection::Refused("come back tomorrow".to_owned())),
    ///         }
    ///     }
    /// });
    /// ```
    pub fn middleware<M: Middleware<N>>(mut self, middleware: M) -> Self {
        let step = Step::Middleware(Box::new(middleware));
        self.registry.steps.push(step);
        self
    }

    /// Handles the events that no handler claims.
    pub fn fallback<F, Fut>(mut self, fallback: F) -> Self
    where
        F: Fn(Socket<N>, AnyEvent) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.registry.fallback = Some(Box::new(move |socket, event| {
            Box::pin(fallback(socket, event))
        }));
        self
    }

    /// Hears of events that were rejected and whose acknowledgement could not tell the client: the socket, the event's name,
    /// and why.
    pub fn on_reject<F>(mut self, hook: F) -> Self
    where
        F: Fn(&Socket<N>, &str, &Rejection) + Send + Sync + 'static,
    {
        self.registry.on_reject = Some(Box::new(hook));
        self
    }

    /// Handles an event that another server [emits to servers](Io::server_side_emit). Closed contracts do not list such
    /// events, since no client sees them. A second handler for an event stops the server at its start.
    ///
    /// Handlers run in tasks of their own, side by side and in no order. What they return is the acknowledgement that the event declares.
    pub fn on_server_event<E, F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Io<N>, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Responder<E>> + Send + 'static,
        E: Event + ClusterEvent + DecodeOwned + Send + 'static,
        E::Ack: AnswerRejection,
    {
        self.registry
            .add_server_event(E::NAME, server_events::entry(handler));
        self
    }

    /// Handles the next event of a client only when the one before it has been handled.
    ///
    /// Without it the handlers of a client are *started* in the order in which its events arrive, and then run side by side.
    pub fn one_at_a_time(mut self) -> Self {
        self.registry.one_at_a_time = true;
        self
    }

    /// Says what happens to clients that read more slowly than this namespace emits to them: by default their connections end.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, SlowClients};
    /// # #[derive(Event)] #[event(server, broadcast)] struct Chunk(Bytes);
    /// let main = Main::serve(()).slow_clients(SlowClients::Wait);
    ///
    /// async fn send_file(io: Io<Main>, chunks: Vec<Bytes>) -> Result<(), rooms_layer::Error> {
    ///     for chunk in chunks {
    ///         // Goes on when everyone has room for more.
    ///         io.emit(Chunk(chunk))?.await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn slow_clients(mut self, policy: SlowClients) -> Self {
        self.registry.slow_clients = policy;
        self
    }

    /// Emits `exception` (`{event, message}`) to a client whose event was rejected and whose acknowledgement could not say so.
    pub fn exceptions(mut self) -> Self {
        self.registry.exceptions = true;
        self
    }

    /// Checks that nothing is missing, and gives the namespace a type that a function can name.
    pub fn build(self) -> Served<N>
    where
        N: Complete<L>,
        G: Guard<N>,
    {
        Served {
            shared: Shared {
                state: self.state,
                registry: self.registry,
                default_data: G::default_data(),
            },
        }
    }

    /// Registers a block without keeping account of its events, which only a closed namespace needs.
    pub(crate) fn register<H: HandlerSet<N>>(&mut self, block: H) {
        Arc::new(block).register(&mut self.registry);
    }

    fn cast<L2, G2>(self) -> Serve<N, L2, G2> {
        Serve {
            state: self.state,
            registry: self.registry,
            kind: PhantomData,
        }
    }
}

impl<N: Namespace, L, G> fmt::Debug for Serve<N, L, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Serve").field(&self.registry).finish()
    }
}
impl<N: Namespace> fmt::Debug for Served<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Served")
            .field(&self.shared.registry)
            .finish()
    }
}
