//! The door from the untyped floor into a typed namespace.

use super::{
    contract::Namespace,
    error::Rejection,
    extract::Call,
    fallback::{AnyEvent, Incoming},
    handshake::Handshake,
    registry::Shared,
    serve::Served,
    socket::Socket,
};
use crate::{
    namespace::{BoxFuture, ConnectRequest, Event, Handlers, Peer, Refuse, Reply, SocketData},
    session::DisconnectReason,
    wire::Data,
};
use std::{future::ready, sync::Arc};

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
        let hooks = &self.shared.registry.connected;
        in_order(hooks.iter().map(|hook| hook(Socket::new(peer.clone()))))
    }

    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()> {
        let socket = Socket::new(peer.clone());
        let registry = &self.shared.registry;
        for observer in &registry.observers {
            observer(&socket, Incoming::new(event.name(), event.args()));
        }
        if let Some(entry) = registry.handlers.get(event.name()) {
            return (entry.run)(Call::new(socket, self.shared.clone(), event));
        }
        if let Some(fallback) = &registry.fallback {
            return fallback(socket, AnyEvent::new(event));
        }
        let rejected = (event.name(), &Rejection::Unhandled);
        self.shared.reject(&socket, rejected, None, no_answer);
        Box::pin(ready(()))
    }

    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let hooks = &self.shared.registry.disconnecting;
        in_order(
            hooks
                .iter()
                .map(|hook| hook(Socket::new(peer.clone()), reason)),
        )
    }

    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let hooks = &self.shared.registry.disconnected;
        in_order(
            hooks
                .iter()
                .map(|hook| hook(Socket::new(peer.clone()), reason)),
        )
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
        self.shared.reject(&socket, rejected, reply, answer);
    }
}

/// The future of all hooks, one after another; `None` where there is none.
fn in_order(hooks: impl ExactSizeIterator<Item = BoxFuture<()>>) -> Option<BoxFuture<()>> {
    let mut hooks: Vec<_> = hooks.collect();
    match hooks.len() {
        0 | 1 => hooks.pop(),
        _ => Some(Box::pin(async move {
            for hook in hooks {
                hook.await;
            }
        })),
    }
}

/// An event without handler has no type, and so no acknowledgement that could carry an error.
fn no_answer(_: &Rejection) -> Option<Data> {
    None
}
