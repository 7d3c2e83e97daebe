//! What the back end of a handle can do, as types.

use crate::rooms::Adapter;

/// A back end that can push events towards clients: every adapter, and one-way emitters.
pub trait CanEmit: 'static {}

/// A back end that hears what clients answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a one-way emitter: it can't collect acknowledgements",
    note = "acks come back to a server that holds the sockets; call this on the `Io` of a server instead"
)]
pub trait CanAck: CanEmit {}

/// A back end that has sockets of its own, and can ask for those of others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a one-way emitter: it has no sockets, and can't ask for any",
    note = "only a server can query the cluster; call this on the `Io` of a server instead"
)]
pub trait CanQuery: CanEmit {}

/// An adapter that keeps sessions, so that a client that comes back soon gets what it missed.
#[diagnostic::on_unimplemented(
    message = "adapter `{Self}` does not store sessions, so connection state recovery is impossible",
    note = "use an adapter that implements `CanRecover` (the in-memory one does), or drop `.recovery(..)`"
)]
pub trait CanRecover: Adapter {}

/// An adapter whose servers can send events to each other.
#[diagnostic::on_unimplemented(
    message = "adapter `{Self}` has no server bus: server-side emit needs a cluster adapter",
    note = "use an adapter that implements `CanServerEmit`, and a handle that names it: `Io<App, MyAdapter>`"
)]
pub trait CanServerEmit: Adapter {}

/// The adapter of a handle that does not name one: what every adapter can do.
#[derive(Debug)]
pub enum Any {}

/// The back end of an [`Emitter`](crate::Emitter), which hears nothing.
#[derive(Debug)]
pub enum Publish {}

impl CanEmit for Publish {}
impl CanEmit for Any {}
impl CanAck for Any {}
impl CanQuery for Any {}
#[diagnostic::do_not_recommend]
impl<A: Adapter> CanEmit for A {}
#[diagnostic::do_not_recommend]
impl<A: Adapter> CanAck for A {}
#[diagnostic::do_not_recommend]
impl<A: Adapter> CanQuery for A {}
