//! What runs for one namespace.

use super::{
    extract::Call,
    fallback::{AnyEvent, Incoming, Outgoing},
    handshake::Handshake,
    identity::name,
    middleware::Step,
    socket::Socket,
    start::StartProblem,
};
use crate::{
    contract::{Io, Namespace, Rejection},
    namespace::{BoxFuture, Refuse, Reply, SlowClients},
    rooms::{Changed, Flags},
    session::DisconnectReason,
    wire::{Args, Data, DataWriter},
};
use serde::Serialize;
use std::{collections::hash_map, fmt, future::Future};

/// A handler, its type forgotten.
#[doc(hidden)]
pub struct Entry<N: Namespace> {
    /// How errors name it.
    pub(crate) handler: &'static str,
    /// How its event's acknowledgement carries a rejection.
    pub(crate) answer: fn(&Rejection) -> Option<Data>,
    pub(crate) run: Box<dyn Fn(Call<N>) -> BoxFuture<()> + Send + Sync>,
}

/// A handler of an event of another server, its type forgotten.
pub(crate) struct ServerEntry<N: Namespace> {
    /// How errors name it.
    pub(crate) handler: &'static str,
    pub(crate) run: Hear<N>,
}

type Hear<N> = Box<dyn Fn(Io<N>, Args) -> BoxFuture<Option<Data>> + Send + Sync>;
type Authorize<N> =
    Box<dyn Fn(Handshake<N>) -> BoxFuture<Result<<N as Namespace>::Data, Refuse>> + Send + Sync>;
type Connected<N> = Box<dyn Fn(Socket<N>) -> BoxFuture<()> + Send + Sync>;
/// A hook that runs when a client leaves.
pub(crate) type Gone<N> = Box<dyn Fn(Socket<N>, DisconnectReason) -> BoxFuture<()> + Send + Sync>;
type Observer<N> = Box<dyn Fn(&Socket<N>, Incoming<'_>) + Send + Sync>;
type OutgoingObserver<N> = Box<dyn Fn(&Socket<N>, Outgoing<'_>) + Send + Sync>;
type Fallback<N> = Box<dyn Fn(Socket<N>, AnyEvent) -> BoxFuture<()> + Send + Sync>;
type OnReject<N> = Box<dyn Fn(&Socket<N>, &str, &Rejection) + Send + Sync>;

/// The handlers and hooks of one namespace.
#[doc(hidden)]
pub struct Registry<N: Namespace> {
    pub(crate) handlers: HashMap<&'static str, Entry<N>>,
    pub(crate) server_events: HashMap<&'static str, ServerEntry<N>>,
    pub(crate) authorize: Option<Authorize<N>>,
    pub(crate) connected: Vec<Connected<N>>,
    pub(crate) disconnecting: Vec<Gone<N>>,
    pub(crate) disconnected: Vec<Gone<N>>,
    pub(crate) observers: Vec<Observer<N>>,
    pub(crate) outgoing_observers: Vec<OutgoingObserver<N>>,
    pub(crate) steps: Vec<Step<N>>,
    pub(crate) fallback: Option<Fallback<N>>,
    pub(crate) on_reject: Option<OnReject<N>>,
    pub(crate) one_at_a_time: bool,
    pub(crate) exceptions: bool,
    pub(crate) slow_clients: SlowClients,
    pub(crate) problems: Vec<StartProblem>,
}

impl<N: Namespace> Registry<N> {
    pub(crate) fn new() -> Self {
        Registry {
            handlers: HashMap::default(),
            server_events: HashMap::default(),
            authorize: None,
            connected: Vec::new(),
            disconnecting: Vec::new(),
            disconnected: Vec::new(),
            observers: Vec::new(),
            outgoing_observers: Vec::new(),
            steps: Vec::new(),
            fallback: None,
            on_reject: None,
            one_at_a_time: false,
            exceptions: false,
            slow_clients: SlowClients::default(),
            problems: Vec::new(),
        }
    }

    /// Registers a handler. Two for one event are a problem that the start of the server reports.
    pub(crate) fn add(&mut self, event: &'static str, entry: Entry<N>) {
        match self.handlers.entry(event) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(entry);
            }
            hash_map::Entry::Occupied(first) => self.problems.push(StartProblem::TwoHandlers {
                event,
                namespace: name::<N>(),
                first: first.get().handler,
                second: entry.handler,
            }),
        }
    }

    /// Registers a handler of an event of another server, likewise.
    pub(crate) fn add_server_event(&mut self, event: &'static str, entry: ServerEntry<N>) {
        match self.server_events.entry(event) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(entry);
            }
            hash_map::Entry::Occupied(first) => self.problems.push(StartProblem::TwoHandlers {
                event,
                namespace: name::<N>(),
                first: first.get().handler,
                second: entry.handler,
            }),
        }
    }

    /// Registers a method marked `#[connect]`.
    pub fn connected<F, Fut>(&mut self, hook: F)
    where
        F: Fn(Socket<N>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.connected
            .push(Box::new(move |socket| finish(hook(socket))));
    }

    /// Registers a method marked `#[disconnecting]`.
    pub fn disconnecting<F, Fut>(&mut self, hook: F)
    where
        F: Fn(Socket<N>, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.disconnecting
            .push(Box::new(move |socket, reason| finish(hook(socket, reason))));
    }

    /// Registers a method marked `#[disconnect]`.
    pub fn disconnected<F, Fut>(&mut self, hook: F)
    where
        F: Fn(Socket<N>, DisconnectReason) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: HookOutput> + Send + 'static,
    {
        self.disconnected
            .push(Box::new(move |socket, reason| finish(hook(socket, reason))));
    }
}

impl<N: Namespace> fmt::Debug for Registry<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("namespace", &N::PATH)
            .field("events", &self.handlers.keys())
            .finish_non_exhaustive()
    }
}

/// What a hook may return: nothing, what `join` and `leave` return, or a `Result` of these, whose error is logged.
#[diagnostic::on_unimplemented(
    message = "a connect or disconnect hook can't return `{Self}`",
    note = "return `()`, what `join` or `leave` returned, or `Result<(), impl Display>`"
)]
pub trait HookOutput {
    /// Tells of a failure.
    fn conclude(self);
}
impl HookOutput for () {
    fn conclude(self) {}
}
impl HookOutput for Changed {
    fn conclude(self) {}
}
impl<T: HookOutput, E: fmt::Display> HookOutput for Result<T, E> {
    fn conclude(self) {
        match self {
            Ok(output) => output.conclude(),
            Err(error) => tracing::error!(%error, "a connect or disconnect hook failed"),
        }
    }
}

fn finish<Fut>(running: Fut) -> BoxFuture<()>
where
    Fut: Future<Output: HookOutput> + Send + 'static,
{
    Box::pin(async move { running.await.conclude() })
}

/// What every call of a namespace shares.
pub(crate) struct Shared<N: Namespace> {
    pub(crate) state: N::State,
    pub(crate) registry: Registry<N>,
    /// Makes the data of a socket where nothing authorizes it.
    pub(crate) default_data: Option<fn() -> N::Data>,
}

impl<N: Namespace> Shared<N> {
    /// Tells of a rejected event: the client in its acknowledgement if that can carry an error, otherwise us.
    pub(crate) fn reject(
        &self,
        socket: &Socket<N>,
        (event, rejection): (&str, &Rejection),
        reply: Option<Reply>,
        answer: fn(&Rejection) -> Option<Data>,
    ) {
        if let Some(reply) = reply
            && let Some(data) = answer(rejection)
        {
            return reply.send(data);
        }
        let namespace = socket.peer().namespace();
        namespace.count_refused("event_rejected");
        tracing::debug!(
            namespace = ?namespace.path(),
            socket = socket.id().as_str(),
            ?event,
            reason = ?rejection.logged(),
            "rejected an event"
        );
        if let Some(hook) = &self.registry.on_reject {
            hook(socket, event, rejection);
        }
        if self.registry.exceptions {
            self.tell(socket, event, rejection);
        }
    }

    /// Emits the `exception` event.
    fn tell(&self, socket: &Socket<N>, event: &str, rejection: &Rejection) {
        #[derive(Serialize)]
        struct Exception<'a> {
            event: &'a str,
            message: &'a str,
        }
        let mut out = DataWriter::event("exception");
        let exception = Exception {
            event,
            message: &rejection.to_string(),
        };
        let sent = match out.push(&exception) {
            Ok(()) => socket.shared_peer().emit(Flags::default(), out.finish()),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "could not tell a client of its rejected event");
        }
    }
}

/// Event names are chosen by clients, so the hasher is seeded at random.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
