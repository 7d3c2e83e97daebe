//! The door from the untyped floor into a typed namespace.

use super::{
    contract::Namespace,
    error::Rejection,
    extract::Call,
    fallback::{AnyEvent, Incoming},
    handshake::Handshake,
    registry::{Gone, Registry, Shared},
    serve::Served,
    socket::Socket,
};
use crate::{
    namespace::{BoxFuture, ConnectRequest, Event, Handlers, Peer, Refuse, Reply, SocketData},
    session::DisconnectReason,
    wire::Data,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// A served namespace, as the floor below calls it.
pub(crate) struct Dispatch<N: Namespace> {
    shared: Arc<Shared<N>>,
}

impl<N: Namespace> Dispatch<N> {
    pub(crate) fn handlers(served: Served<N>) -> Arc<dyn Handlers> {
        Arc::new(Dispatch {
            shared: Arc::new(served.shared),
        })
    }
}

impl<N: Namespace> Handlers for Dispatch<N> {
    fn authorize(&self, request: ConnectRequest) -> BoxFuture<Result<SocketData, Refuse>> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let Some(authorize) = &shared.registry.authorize else {
                let default = shared
                    .default_data
                    .expect("a namespace without `authorize` has data with a default");
                return Ok(Box::new(default()) as SocketData);
            };
            let auth = request
                .auth
                .get::<N::Auth>(0)
                .map_err(|error| Refuse::new(format!("invalid auth: {error}")))?;
            let handshake = Handshake::new(auth, shared.state.clone(), request.handshake);
            Ok(Box::new(authorize(handshake).await?) as SocketData)
        })
    }

    fn connected(&self, peer: &Arc<Peer>) -> Option<BoxFuture<()>> {
        let (shared, socket) = (self.shared.clone(), Socket::new(peer.clone()));
        (!shared.registry.connected.is_empty()).then(|| -> BoxFuture<()> {
            Box::pin(async move {
                for hook in &shared.registry.connected {
                    hook(socket.clone()).await;
                }
            })
        })
    }

    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()> {
        let registry = &self.shared.registry;
        let watched = !registry.observers.is_empty() || !registry.checks.is_empty();
        let entry = registry.handlers.get(event.name());
        let call = Call::new(Socket::new(peer.clone()), self.shared.clone(), event);
        match entry {
            Some(entry) if !watched => (entry.run)(call),
            // Whatever the application wrote runs inside the future, where a panic is caught.
            _ => Box::pin(handle(self.shared.clone(), call)),
        }
    }

    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        self.gone(|registry| &registry.disconnecting, peer, reason)
    }

    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        self.gone(|registry| &registry.disconnected, peer, reason)
    }

    fn one_at_a_time(&self) -> bool {
        self.shared.registry.one_at_a_time
    }

    fn panicked(&self, peer: &Arc<Peer>, event: &str, reply: Option<Reply>) {
        tracing::error!(namespace = N::PATH, event, "a handler panicked");
        let entry = self.shared.registry.handlers.get(event);
        let answer = entry.map_or(no_answer as fn(&Rejection) -> _, |entry| entry.answer);
        let rejected = (event, &Rejection::Panicked);
        let socket = Socket::new(peer.clone());
        let tell = || self.shared.reject(&socket, rejected, reply, answer);
        // What tells of the panic is the application's too.
        if catch_unwind(AssertUnwindSafe(tell)).is_err() {
            tracing::error!(namespace = N::PATH, event, "telling of a panic panicked");
        }
    }
}

impl<N: Namespace> Dispatch<N> {
    fn gone(
        &self,
        hooks: fn(&Registry<N>) -> &Vec<Gone<N>>,
        peer: &Arc<Peer>,
        reason: DisconnectReason,
    ) -> Option<BoxFuture<()>> {
        let (shared, socket) = (self.shared.clone(), Socket::new(peer.clone()));
        (!hooks(&shared.registry).is_empty()).then(|| -> BoxFuture<()> {
            Box::pin(async move {
                for hook in hooks(&shared.registry) {
                    hook(socket.clone(), reason).await;
                }
            })
        })
    }
}

/// The long way of an event: past observers and checks, or to no handler.
async fn handle<N: Namespace>(shared: Arc<Shared<N>>, call: Call<N>) {
    let registry = &shared.registry;
    for observer in &registry.observers {
        observer(call.socket(), Incoming::new(call.event_name(), call.args()));
    }
    let Some(entry) = registry.handlers.get(call.event_name()) else {
        return match &registry.fallback {
            Some(fallback) => {
                let (socket, event) = call.into_parts();
                fallback(socket, AnyEvent::new(event)).await
            }
            None => call.conclude(Err(Rejection::Unhandled), no_answer),
        };
    };
    match registry.checks.iter().try_for_each(|check| check(&call)) {
        Ok(()) => (entry.run)(call).await,
        Err(rejection) => call.conclude(Err(rejection), entry.answer),
    }
}

/// An event without handler has no type, and so no acknowledgement that could carry an error.
fn no_answer(_: &Rejection) -> Option<Data> {
    None
}
