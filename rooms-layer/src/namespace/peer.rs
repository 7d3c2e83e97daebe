//! One client in one namespace.

use super::{AckError, EmitError, Flags, HandshakeInfo, Namespace, Sent, SocketData};
use crate::{
    rooms::SocketId,
    wire::{Args, Data},
};
use std::{
    future::{Future, IntoFuture, Ready, ready},
    sync::Arc,
    time::Duration,
};

/// One client in one namespace: its id, its data, the way to reach it.
pub(crate) struct Peer;
impl Peer {
    pub(crate) fn id(&self) -> &SocketId {
        todo!()
    }
    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        todo!()
    }
    /// The `Data` of the namespace, as `authorize` made it.
    pub(crate) fn data(&self) -> &SocketData {
        todo!()
    }
    pub(crate) fn handshake(&self) -> &Arc<HandshakeInfo> {
        todo!()
    }
    pub(crate) fn is_connected(&self) -> bool {
        todo!()
    }
    pub(crate) fn emit(&self, _flags: Flags, _data: Data) -> Result<Sent, EmitError> {
        todo!()
    }
    pub(crate) fn emit_with_ack(
        self: &Arc<Self>,
        _data: Data,
        _timeout: Duration,
    ) -> impl Future<Output = Result<Args, AckError>> + Send + use<> {
        async { todo!() }
    }
    pub(crate) fn join(&self, _rooms: Vec<Box<str>>) -> Changed {
        todo!()
    }
    pub(crate) fn leave(&self, _rooms: Vec<Box<str>>) -> Changed {
        todo!()
    }
    /// The rooms this peer is in, its own id first. In `disconnecting` still what they were.
    pub(crate) fn rooms(&self) -> Vec<String> {
        todo!()
    }
    pub(crate) fn is_in(&self, _room: &str) -> bool {
        todo!()
    }
    /// Leaves the namespace from the server's side; `close` also ends the connection.
    pub(crate) fn disconnect(&self, _close: bool) {
        todo!()
    }
    /// Runs a task that ends with the socket.
    pub(crate) fn spawn(&self, _task: impl Future<Output = ()> + Send + 'static) {
        todo!()
    }
}

/// A change of membership: done on this server when it is returned; awaiting it waits until the engine behind the
/// adapter has confirmed.
#[derive(Debug)]
pub struct Changed {
    _private: (),
}
impl IntoFuture for Changed {
    type Output = ();
    type IntoFuture = Ready<()>;
    fn into_future(self) -> Ready<()> {
        ready(())
    }
}
