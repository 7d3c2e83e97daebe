//! `Socket`: one client in a namespace.

use super::{identity::values, opaque::Opaque};
use crate::{
    contract::{
        Any, DynamicNamespace, Error, Event, Io, Namespace, RoomSet, To,
        bounds::{
            AckShape, DecodeAck, EmittedBy, EncodeArgs, Everyone, HasRooms, Routed, ServerEvent,
            Target, WithAck, WithoutAck,
        },
        encode, names,
    },
    handshake::HandshakeInfo,
    namespace::Peer,
    rooms::{AckError, Changed, Flags, Sent, SocketId},
};
use std::{fmt, future::Future, marker::PhantomData, sync::Arc, time::Duration};

/// One client in namespace `N`: a cheap clone, which may be kept longer than the connection lasts.
///
/// `to(..)`, `broadcast()` and `publish(..)` address *the others*; `emit(..)` addresses the client itself.
pub struct Socket<N: Namespace> {
    peer: Opaque<Peer>,
    kind: PhantomData<fn() -> N>,
}

impl<N: Namespace> Socket<N> {
    pub(crate) fn new(peer: Arc<Peer>) -> Self {
        Socket {
            peer: Opaque::new(peer),
            kind: PhantomData,
        }
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) fn shared_peer(&self) -> Arc<Peer> {
        self.peer.arc()
    }

    /// The id that addresses this socket: `io.to(id)`. It is public; a session can't be taken over with it.
    pub fn id(&self) -> &SocketId {
        self.peer.id()
    }

    /// The handle to everyone in the namespace.
    pub fn io(&self) -> Io<N> {
        Io::over(self.peer.namespace().clone())
    }

    /// What the path of the namespace says, of a dynamic one.
    pub fn namespace(&self) -> &N::Contract
    where
        N::Contract: DynamicNamespace,
    {
        values::<N>(self.peer.namespace())
    }

    /// What `authorize` returned for this socket, or the default of the type.
    pub fn data(&self) -> &N::Data {
        self.peer
            .data()
            .downcast_ref()
            .expect("the namespace made this socket's data")
    }

    /// What is kept of the HTTP request that opened the connection.
    pub fn handshake(&self) -> &HandshakeInfo {
        self.peer.handshake()
    }

    /// Whether the client has come back to what it was: with the id, the rooms and the events that it had, where
    /// [`RoomsLayer::recovery`](crate::RoomsLayer::recovery) is on. The [data](Self::data) is new.
    pub fn recovered(&self) -> bool {
        self.peer.is_recovered()
    }

    /// Whether the client is still connected to the namespace.
    pub fn is_connected(&self) -> bool {
        self.peer.is_connected()
    }

    /// Joins a room, or several: done on this server when it returns; await it to know that the cluster has it too.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed {
        self.peer.join(names(target))
    }

    /// Leaves a room, or several: done on this server when it returns; await it to know that the cluster has it too.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed {
        self.peer.leave(names(target))
    }

    /// Whether the socket is in a room, or in all of several.
    pub fn is_in<T: Target<N>>(&self, target: T) -> bool {
        names(target).iter().all(|room| self.peer.is_in(room))
    }

    /// The rooms of the set `R` that the socket is in. While `disconnecting` handlers run they are still what they were.
    pub fn rooms<R: RoomSet>(&self) -> Vec<R>
    where
        N: HasRooms<R>,
    {
        let names = self.peer.rooms();
        names.iter().filter_map(|name| R::parse(name)).collect()
    }

    /// The names of all rooms that the socket is in, [`DynRoom`](crate::DynRoom)s among them. The first is its own id.
    pub fn room_names(&self) -> Vec<String> {
        self.peer.rooms()
    }

    /// Emits an event to this client.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed.
    pub fn emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
    {
        self.emit_ref(&event)
    }

    /// [`emit`](Socket::emit) without giving the event away.
    ///
    /// # Errors
    ///
    /// See [`emit`](Socket::emit).
    pub fn emit_ref<E>(&self, event: &E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
    {
        Ok(self.peer.arc().emit(Flags::default(), encode(event)?)?)
    }

    /// Emits an event to this client and waits for its acknowledgement, as long as
    /// [`Config::ack_timeout`](crate::Config::ack_timeout) says.
    ///
    /// # Errors
    ///
    /// Fails when the client does not answer in time, disconnects, or answers in another form than the event declares.
    pub async fn emit_with_ack<E>(&self, event: E) -> Result<<E::Ack as AckShape>::Out, AckError>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithAck + EncodeArgs,
        E::Ack: DecodeAck,
    {
        let timeout = self.peer.namespace().ack_timeout();
        self.emit_with_ack_within(timeout, event).await
    }

    /// [`emit_with_ack`](Socket::emit_with_ack) with a deadline of its own.
    ///
    /// # Errors
    ///
    /// See [`emit_with_ack`](Socket::emit_with_ack).
    pub async fn emit_with_ack_within<E>(
        &self,
        deadline: Duration,
        event: E,
    ) -> Result<<E::Ack as AckShape>::Out, AckError>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithAck + EncodeArgs,
        E::Ack: DecodeAck,
    {
        let data = encode(&event)?;
        // The event may borrow, and need not be `Send`: it must not live across the await.
        drop(event);
        let args = self.peer.arc().emit_with_ack(data, deadline).await?;
        Ok(E::Ack::decode(&args)?)
    }

    /// Addresses a room, without this socket.
    pub fn to<T: Target<N>>(&self, target: T) -> To<N, Any, T::Audience> {
        self.io().to(target).except(self.id())
    }

    /// Addresses everyone in the namespace but this socket.
    pub fn broadcast(&self) -> To<N, Any, Everyone> {
        self.io().except(self.id())
    }

    /// Emits to the room that the event itself names, without this socket.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn publish<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + Routed + WithoutAck + EncodeArgs,
        N: HasRooms<<E::This as Routed>::Set>,
    {
        self.io()
            .everyone()
            .routed(event.this())
            .except(self.id())
            .send(&event)
    }

    /// Disconnects the client from this namespace; its other namespaces stay.
    pub fn disconnect(&self) {
        self.peer.disconnect(false);
    }

    /// Disconnects the client from all namespaces and ends its connection.
    pub fn close(&self) {
        self.peer.disconnect(true);
    }

    /// Runs a task that is ended when the socket disconnects.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.peer.spawn(task);
    }
}

impl<N: Namespace> Clone for Socket<N> {
    fn clone(&self) -> Self {
        Socket {
            peer: self.peer.clone(),
            kind: PhantomData,
        }
    }
}
impl<N: Namespace> PartialEq for Socket<N> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}
impl<N: Namespace> fmt::Debug for Socket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}
