//! The door from the untyped floor into a typed namespace.

use super::{
    extract::Call,
    fallback::{AnyEvent, Incoming, Outgoing},
    handshake::Handshake,
    registry::{Gone, Registry, Shared},
    serve::Served,
    socket::Socket,
};
use crate::{
    contract::{Io, Namespace, Rejection},
    namespace::{
        self, BoxFuture, ConnectRequest, Event, Handlers, Peer, Refuse, Reply, SlowClients,
        SocketData,
    },
    session::DisconnectReason,
    wire::{Args, Data},
};
use serde::de::DeserializeOwned;
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
                return Ok(Arc::new(default()) as SocketData);
            };
            let auth = read_auth(&request.auth)
                .map_err(|reason| Refuse::quoting(format!("invalid auth: {reason}")))?;
            let (namespace, handshake) = (request.namespace, request.handshake);
            let handshake = Handshake::new(auth, shared.state.clone(), namespace, handshake);
            Ok(Arc::new(authorize(handshake).await?) as SocketData)
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
        let watched = !registry.observers.is_empty() || !registry.steps.is_empty();
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

    fn describe(&self, peer: &Peer) -> Option<String> {
        N::describe(peer.data().downcast_ref()?)
    }

    fn hear(
        &self,
        namespace: Arc<namespace::Namespace>,
        event: &str,
        args: Args,
    ) -> Option<BoxFuture<Option<Data>>> {
        let entry = self.shared.registry.server_events.get(event)?;
        Some((entry.run)(Io::over(namespace), args))
    }

    fn watches_outgoing(&self) -> bool {
        !self.shared.registry.outgoing_observers.is_empty()
    }

    fn outgoing(&self, peer: &Arc<Peer>, event: &str, args: &Args) {
        let socket = Socket::new(peer.clone());
        for observer in &self.shared.registry.outgoing_observers {
            let observe = || observer(&socket, Outgoing::new(event, args));
            // Whoever emits has nothing to do with it.
            if catch_unwind(AssertUnwindSafe(observe)).is_err() {
                tracing::error!(?event, "an observer of outgoing events panicked");
            }
        }
    }

    fn one_at_a_time(&self) -> bool {
        self.shared.registry.one_at_a_time
    }

    fn slow_clients(&self) -> SlowClients {
        self.shared.registry.slow_clients
    }

    fn panicked(&self, peer: &Arc<Peer>, event: &str, reply: Option<Reply>) {
        let entry = self.shared.registry.handlers.get(event);
        let answer = entry.map_or(no_answer as fn(&Rejection) -> _, |entry| entry.answer);
        let rejected = (event, &Rejection::Panicked);
        let socket = Socket::new(peer.clone());
        let tell = || self.shared.reject(&socket, rejected, reply, answer);
        // What tells of the panic is the application's too.
        if catch_unwind(AssertUnwindSafe(tell)).is_err() {
            let namespace = peer.namespace().path();
            tracing::error!(?namespace, ?event, "telling of a panic panicked");
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

/// The long way of an event: past observers, checks and middleware, or to no handler.
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
    for step in &registry.steps {
        if let Err(rejection) = step.pass(&call).await {
            return call.conclude(Err(rejection), entry.answer);
        }
    }
    (entry.run)(call).await
}

/// Reads what a client sent as `auth`. A client that sent none has sent an empty object, as in Node; a type to which that
/// makes a difference (an `Option`) reads `null` first.
fn read_auth<T: DeserializeOwned>(auth: &Args) -> Result<T, String> {
    match auth.is_empty() {
        true => serde_json::from_str("null")
            .or_else(|_| serde_json::from_str("{}"))
            .map_err(|error| error.to_string()),
        false => auth.get(0).map_err(|error| error.reason()),
    }
}

/// An event without handler has no type, and so no acknowledgement that could carry an error.
fn no_answer(_: &Rejection) -> Option<Data> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Limits;
    use serde::Deserialize;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Token {
        #[serde(default)]
        token: String,
    }

    fn read<T: DeserializeOwned>(payload: &str) -> Result<T, String> {
        let args = Args::parse(&format!("[{payload}]"), Vec::new(), &Limits::default());
        read_auth(&args.expect("the payload is JSON"))
    }

    #[test]
    fn no_auth_is_an_empty_object() {
        let token = |token: &str| Token {
            token: token.to_owned(),
        };
        assert_eq!(read(""), Ok(token("")));
        assert_eq!(read("{}"), Ok(token("")));
        assert_eq!(read(r#"{"token":"x"}"#), Ok(token("x")));
        assert_eq!(read::<Option<Token>>(""), Ok(None));
        assert_eq!(read::<()>(""), Ok(()));
        let error = read::<Token>(r#"{"token":7}"#).unwrap_err();
        assert!(error.starts_with("invalid type: integer `7`"), "{error}");
    }
}
