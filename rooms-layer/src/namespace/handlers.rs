//! The door through which a namespace calls the typed floor above.

use super::{Peer, Refusal};
use crate::{
    session::DisconnectReason,
    wire::{Args, Data},
};
use std::{any::Any, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// What a socket carries for its whole life: the `Data` of its namespace, type erased.
pub(crate) type SocketData = Box<dyn Any + Send + Sync>;

/// What the typed floor does for one namespace.
pub(crate) trait Handlers: Send + Sync + 'static {
    /// Decides whether the client may connect; `Ok` carries the socket's data.
    fn authorize(&self, request: ConnectRequest) -> BoxFuture<Result<SocketData, Refusal>>;
    /// Runs after the CONNECT reply was queued. `None`: nothing to run.
    fn connected(&self, peer: &Arc<Peer>) -> Option<BoxFuture<()>>;
    /// Handles one event. It is polled once before the next event of this peer is looked at. A panic inside is caught by the caller.
    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()>;
    /// The peer is about to leave its rooms.
    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>>;
    /// The peer has left its rooms.
    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>>;
    /// Whether the next event of a peer waits until the one before it has been handled.
    fn one_at_a_time(&self) -> bool;
    /// A handler of this peer panicked while it handled `event`.
    fn panicked(&self, peer: &Arc<Peer>, event: &str, reply: Option<Reply>);
}

/// An event as it arrived, its name apart from its arguments.
pub(crate) struct Event {
    pub(crate) name: Box<str>,
    pub(crate) args: Args,
    /// Present when the client asked for an acknowledgement.
    pub(crate) reply: Option<Reply>,
}

/// The right to acknowledge one event, once.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(super) peer: Arc<Peer>,
    pub(super) id: u64,
}
impl Reply {
    /// Queues the acknowledgement. A client that is gone by now gets none.
    pub(crate) fn send(self, _data: Data) {
        todo!()
    }
}

/// A client that asks to connect to a namespace.
pub(crate) struct ConnectRequest {
    /// One element: the CONNECT packet's payload, an object (`{}` when the client sent none).
    pub(crate) auth: Args,
    pub(crate) handshake: Arc<HandshakeInfo>,
}

/// What is kept of the HTTP request that opened the connection.
#[derive(Debug)]
pub struct HandshakeInfo {
    pub(crate) headers: http::HeaderMap,
    pub(crate) uri: http::Uri,
    pub(crate) remote: Option<SocketAddr>,
}
