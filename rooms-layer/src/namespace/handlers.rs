//! The door through which a namespace calls the typed floor above.

use super::{Namespace, Peer, Refuse, SlowClients};
use crate::{
    handshake::HandshakeInfo,
    session::DisconnectReason,
    wire::{Args, Data, socket_io::Packet},
};
use std::{
    any::Any,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// What a socket carries for its whole life: the `Data` of its namespace, type erased.
pub(crate) type SocketData = Arc<dyn Any + Send + Sync>;

/// What the typed floor does for one namespace.
///
/// A panic in any of the futures is caught by the caller, and ends nothing but that future.
pub(crate) trait Handlers: Send + Sync + 'static {
    /// Decides whether the client may connect; `Ok` carries the socket's data.
    fn authorize(&self, request: ConnectRequest) -> BoxFuture<Result<SocketData, Refuse>>;
    /// Runs once the CONNECT reply is queued. `None`: nothing to run.
    fn connected(&self, peer: &Arc<Peer>) -> Option<BoxFuture<()>>;
    /// Handles one event. The future is polled once before the next event of this connection is looked at.
    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()>;
    /// The peer is leaving, and every event that it sent has been polled once, or been handled where they are handled one at
    /// a time. Its rooms can still be read, and are left when this first waits.
    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>>;
    /// The peer has left its rooms. Runs after what `disconnecting` returned.
    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>>;
    /// What a socket carries, as JSON, if that can be serialised.
    fn describe(&self, peer: &Peer) -> Option<String>;
    /// Handles an event of another server. `None`: nobody does.
    fn hear(
        &self,
        namespace: Arc<Namespace>,
        event: &str,
        args: Args,
    ) -> Option<BoxFuture<Option<Data>>>;
    /// Whether emits are watched. Asked once for each, however many receive it.
    fn watches_outgoing(&self) -> bool;
    /// An event is about to be queued for a peer. Does not panic.
    fn outgoing(&self, peer: &Arc<Peer>, event: &str, args: &Args);
    /// Whether the next event of a peer waits until the one before it has been handled.
    fn one_at_a_time(&self) -> bool;
    /// What happens to clients that do not keep up.
    fn slow_clients(&self) -> SlowClients;
    /// The handler of an event panicked. `reply` is there if the client waits for an answer that it has not got.
    fn panicked(&self, peer: &Arc<Peer>, event: &str, reply: Option<Reply>);
}

/// An event as it arrived.
pub(crate) struct Event {
    pub(super) packet: Packet,
    /// Present when the client asked for an acknowledgement.
    pub(crate) reply: Option<Reply>,
}

impl Event {
    pub(crate) fn name(&self) -> &str {
        self.packet.event()
    }

    pub(crate) fn args(&self) -> &Args {
        self.packet.args()
    }
}

/// The right to acknowledge one event, once.
#[derive(Clone)]
pub(crate) struct Reply(Arc<Owed>);

struct Owed {
    peer: Arc<Peer>,
    id: u64,
    paid: AtomicBool,
}

impl Reply {
    pub(super) fn new(peer: Arc<Peer>, id: u64) -> Self {
        Self(Arc::new(Owed {
            peer,
            id,
            paid: AtomicBool::new(false),
        }))
    }

    /// Queues the acknowledgement. The second one, and one to a client that is gone, goes nowhere.
    pub(crate) fn send(self, data: Data) {
        if !self.0.paid.swap(true, Ordering::Relaxed) {
            self.0.peer.send_ack(self.0.id, data);
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        self.0.paid.load(Ordering::Relaxed)
    }
}

/// A client that asks to connect to a namespace.
pub(crate) struct ConnectRequest {
    /// The payload of the CONNECT packet: one object, or nothing.
    pub(crate) auth: Args,
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) handshake: Arc<HandshakeInfo>,
}
