//! `Emitter`: the handle to everyone in a namespace, for a process that holds no sockets.

use super::{
    bounds::{ClusterEvent, EncodeArgs, StaticNamespace, WithoutAck},
    capability::Publish,
    emit::encode,
    error::Error,
    event::Event,
    io::Io,
    namespace::Namespace,
    path::DynamicNamespace,
};
use crate::{
    rooms::{
        BackEnd, Changed, EmitError, Flags, Gathered, Replies, Selection, Sent, SocketId,
        adapter::{BoxFuture, Broadcast, Command, Publisher, Question},
    },
    wire::Data,
};
use std::{any::Any, sync::Arc, time::Duration};

/// The handle to everyone in namespace `N`, on all servers of a cluster, from a process that holds no sockets: a worker, a
/// scheduled job.
///
/// It is an [`Io`] over a back end that only speaks: what would have to come back from clients (`emit_with_ack`, `sockets`,
/// `count`) does not compile. The crate of an adapter makes it, and it works without the feature `server`, so with no HTTP and no
/// WebSocket among the dependencies. For tests there is `test::Recorder::emitter`.
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
/// What one process emits to a namespace arrives in the order of the calls and at most once, as far as the engine between the
/// servers promises that. Between processes no order is promised.
pub type Emitter<N> = Io<N, Publish>;

impl<N: Namespace> Io<N, Publish> {
    /// Makes an emitter, for the crates of adapters: `open` gives the way into the namespace with a path. It is called here, and
    /// for each [`of`](Emitter::of) and [`at`](Emitter::at).
    pub fn new<F>(open: F) -> Self
    where
        N: Namespace<Contract: StaticNamespace>,
        F: Fn(&str) -> Arc<dyn Publisher> + Send + Sync + 'static,
    {
        Relay::open(N::PATH, Arc::new(open))
    }

    /// The emitter for another namespace of the same cluster.
    pub fn of<M>(&self) -> Emitter<M>
    where
        M: Namespace<Contract: StaticNamespace>,
    {
        Relay::open(M::PATH, self.relay().open.clone())
    }

    /// The emitter for one of the namespaces `M` of the same cluster: `emitter.at(Workspace { id })`.
    pub fn at<M: DynamicNamespace>(&self, namespace: M) -> Emitter<M> {
        Relay::open(&namespace.path(), self.relay().open.clone())
    }

    /// Tells every server of an event that is `#[event(cluster)]`: their `on_server_event` handlers run.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded.
    pub fn server_side_emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ClusterEvent + WithoutAck + EncodeArgs,
    {
        let data = encode(&event)?;
        Ok(Sent::new(0, self.relay().publisher.tell(&data)))
    }

    fn relay(&self) -> &Relay {
        let back_end: &dyn Any = &*self.back_end;
        let relay = back_end.downcast_ref();
        relay.expect("emitters are made here only")
    }
}

/// A namespace whose sockets are all elsewhere.
struct Relay {
    path: Box<str>,
    publisher: Arc<dyn Publisher>,
    open: Arc<Open>,
}

/// Opens the way into a namespace, by its path.
type Open = dyn Fn(&str) -> Arc<dyn Publisher> + Send + Sync;

impl Relay {
    fn open<N: Namespace>(path: &str, open: Arc<Open>) -> Emitter<N> {
        Io::over(Arc::new(Self {
            path: path.into(),
            publisher: open(path),
            open,
        }))
    }
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

    fn gather(
        &self,
        _: &Selection,
        _: Flags,
        _: Question<'static>,
        _: Option<Duration>,
    ) -> BoxFuture<Gathered> {
        Box::pin(std::future::ready(Gathered::default()))
    }
}
