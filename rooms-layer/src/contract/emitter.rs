//! `Emitter`: the handle to everyone in a namespace, for a process that holds no sockets.

use super::{
    bounds::{
        Admits, EmittedBy, EncodeArgs, Everyone, HasRooms, Routed, ServerEvent, StaticNamespace,
        Target, WithoutAck,
    },
    capability::Publish,
    emit::To,
    error::Error,
    event::Event,
    namespace::Namespace,
    path::DynamicNamespace,
};
use crate::{
    rooms::{
        BackEnd, Changed, EmitError, Flags, Replies, Selection, Sent, SocketId,
        adapter::{Broadcast, Command, Publisher},
    },
    wire::Data,
};
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// The handle to everyone in namespace `N`, on all servers of a cluster, from a process that holds no sockets: a worker, a
/// scheduled job.
///
/// It addresses as an `Io` does, under the same contract, and only speaks: what would have to come back from clients
/// (`emit_with_ack`, `sockets`, `count`) does not compile. It is a cheap clone. The crate of an adapter makes it, and it works
/// without the feature `server`, so with no HTTP and no WebSocket among the dependencies.
///
/// ```
/// use rooms_layer::{Emitter, Error, prelude::*};
/// use serde::Serialize;
///
/// #[derive(Room)]
/// enum Room {
///     Project(u64),
/// }
///
/// #[derive(Event, Serialize)]
/// #[event(server, to(Room::Project(project)))]
/// struct Built {
///     project: u64,
///     green: bool,
/// }
///
/// #[derive(Namespace)]
/// #[namespace(path = "/", rooms(Room), server(Built))]
/// struct App;
///
/// async fn build(out: Emitter<App>, project: u64) -> Result<(), Error> {
///     out.to(Room::project(project)).volatile().emit(Built { project, green: false })?;
///     // `await` waits until the engine between the servers has it.
///     out.publish(Built { project, green: true })?.await?;
///     Ok(())
/// }
/// ```
///
/// # Order
///
/// What one emitter sends to a namespace arrives in the order of the calls, at most once, as far as the engine gives that.
/// Nothing is promised between emitters, even clones aside, and servers.
pub struct Emitter<N: Namespace> {
    relay: Arc<Relay>,
    open: Arc<Open>,
    kind: PhantomData<fn() -> N>,
}

/// Opens the way into a namespace, by its path.
type Open = dyn Fn(&str) -> Arc<dyn Publisher> + Send + Sync;

impl<N: Namespace> Emitter<N> {
    /// Makes one, for the crates of adapters: `open` gives the way into the namespace with a path. It is called here and for
    /// each [`of`](Emitter::of) and [`at`](Emitter::at).
    pub fn new<F>(open: F) -> Self
    where
        N: Namespace<Contract: StaticNamespace>,
        F: Fn(&str) -> Arc<dyn Publisher> + Send + Sync + 'static,
    {
        Emitter::open(N::PATH, Arc::new(open))
    }

    /// The handle to another namespace of the same cluster.
    pub fn of<M>(&self) -> Emitter<M>
    where
        M: Namespace<Contract: StaticNamespace>,
    {
        Emitter::open(M::PATH, self.open.clone())
    }

    /// The handle to one of the namespaces `M` of the same cluster: `emitter.at(Workspace { id })`.
    pub fn at<M: DynamicNamespace>(&self, namespace: M) -> Emitter<M> {
        Emitter::open(&namespace.path(), self.open.clone())
    }

    fn open(path: &str, open: Arc<Open>) -> Self {
        Emitter {
            relay: Arc::new(Relay {
                publisher: open(path),
                path: path.into(),
            }),
            open,
            kind: PhantomData,
        }
    }

    /// Addresses the sockets in a room or in any of several; an empty list is nobody.
    pub fn to<T: Target<N>>(&self, target: T) -> To<N, Publish, T::Audience> {
        self.everyone().narrow(target)
    }

    /// Addresses everyone but the sockets in a room.
    pub fn except<T: Target<N>>(&self, target: T) -> To<N, Publish, Everyone> {
        self.everyone().except(target)
    }

    /// Addresses everyone who can take the event at once.
    pub fn volatile(&self) -> To<N, Publish, Everyone> {
        self.everyone().volatile()
    }

    /// Emits to everyone in the namespace; the event must be `#[event(broadcast)]`.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Everyone: Admits<E::This>,
    {
        self.everyone().emit(event)
    }

    /// [`emit`](Emitter::emit) without giving the event away.
    ///
    /// # Errors
    ///
    /// See [`To::emit`].
    pub fn emit_ref<E>(&self, event: &E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
        Everyone: Admits<E::This>,
    {
        self.everyone().emit_ref(event)
    }

    /// Emits to the room that the event itself names: `#[event(to(Room::Project(id)))]`.
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
        self.everyone().routed(event.this()).send(&event)
    }

    /// Makes everyone in the namespace join a room.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed {
        self.everyone().join(target)
    }

    /// Makes everyone in the namespace leave a room.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed {
        self.everyone().leave(target)
    }

    /// Disconnects everyone from the namespace.
    pub fn disconnect_sockets(&self) -> Changed {
        self.everyone().disconnect_sockets()
    }

    fn everyone(&self) -> To<N, Publish, Everyone> {
        To::new(self.relay.clone(), Selection::default())
    }
}

impl<N: Namespace> Clone for Emitter<N> {
    fn clone(&self) -> Self {
        Emitter {
            relay: self.relay.clone(),
            open: self.open.clone(),
            kind: PhantomData,
        }
    }
}
impl<N: Namespace> fmt::Debug for Emitter<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter")
            .field("namespace", &self.relay.path)
            .finish_non_exhaustive()
    }
}

/// A namespace whose sockets are all elsewhere.
struct Relay {
    path: Box<str>,
    publisher: Arc<dyn Publisher>,
}

impl BackEnd for Relay {
    fn path(&self) -> &str {
        &self.path
    }

    fn emit(&self, to: &Selection, flags: Flags, data: Data) -> Result<Sent, EmitError> {
        let broadcast = Broadcast::new(data).volatile(flags.volatile);
        Ok(Sent::new(0, self.publisher.broadcast(to, &broadcast)))
    }

    fn command(&self, to: &Selection, command: Command) -> Changed {
        Changed {
            confirmed: self.publisher.command(to, &command),
        }
    }

    // The types of the handles keep the rest from being asked: `Publish` implements neither `CanAck` nor `CanQuery`.

    fn emit_with_ack(
        &self,
        _: &Selection,
        _: Flags,
        _: Data,
        _: Option<Duration>,
    ) -> Result<Replies, EmitError> {
        Ok(Replies::none())
    }

    fn sockets(&self, _: &Selection) -> Vec<SocketId> {
        Vec::new()
    }

    fn count(&self, _: &Selection) -> usize {
        0
    }
}
