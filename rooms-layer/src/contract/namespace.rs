//! Namespaces as types: what travels on a path, and who must handle it.

use super::{
    coverage::Open,
    event::ClientEvent,
    path::{Paths, StaticNamespace},
    room::RoomSet,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

/// A Socket.IO namespace as a type: its path, its contract, and the types around it.
/// [Derive](derive@crate::Namespace) it.
pub trait Namespace: Sized + Send + Sync + 'static {
    /// The path that clients connect to. The one of a [`DynamicNamespace`](crate::DynamicNamespace) has the names of its
    /// values in it.
    const PATH: &'static str;
    /// The `auth` payload of a client that connects.
    type Auth: DeserializeOwned + Send + 'static;
    /// What each socket carries for its whole life.
    type Data: Send + Sync + 'static;
    /// Application state, given to [`serve`](crate::NamespaceExt::serve).
    type State: Clone + Send + Sync + 'static;
    /// The type that lists the events and rooms: often this one, or one of a shared crate.
    type Contract: Namespace;
    /// What is handled before anything is: everything in an open namespace, nothing in a closed one.
    #[doc(hidden)]
    type Unhandled;

    /// The data of a socket as JSON, where it can be serialised: what other servers are told of it.
    #[doc(hidden)]
    fn describe(_: &Self::Data) -> Option<String> {
        None
    }

    /// The paths, where there are several.
    #[doc(hidden)]
    fn paths() -> Option<Paths> {
        None
    }
}

/// Namespace `Self` emits `E`.
#[diagnostic::on_unimplemented(
    message = "namespace `{Self}` does not emit `{E}`",
    label = "`{E}` is not in the contract of `{Self}`",
    note = "list it: `#[namespace(server({E}))]` on `{Self}`",
    note = "in a generic function, ask for an event that is: `E: EmitIn<{Self}, room::Kind>`"
)]
pub trait Emits<E>: Namespace {}

/// [`Emits`], seen from the event, so that it can stand among the bounds of a generic helper.
pub trait EmittedBy<N> {}
impl<N: Emits<E>, E> EmittedBy<N> for E {}

/// Contract `C` accepts `Self` from clients.
///
/// `Self` is the event: the compiler looks through all implementations that have the same `Self`, and does so for each handler.
#[diagnostic::on_unimplemented(
    message = "namespace `{C}` does not accept `{Self}` from clients",
    label = "`{Self}` is not in the contract of `{C}`",
    note = "list it: `#[namespace(client({Self}))]` on `{C}`"
)]
pub trait AcceptedBy<C> {
    /// Where the contract keeps account of the event's handler.
    #[doc(hidden)]
    type Slot;
}

/// A contract without lists: any event, any room.
#[doc(hidden)]
pub trait OpenContract: Namespace {}
#[diagnostic::do_not_recommend]
impl<C: OpenContract, E: ClientEvent> AcceptedBy<C> for E {
    type Slot = ();
}

/// Namespace `Self` has the rooms of the set `R`.
#[diagnostic::on_unimplemented(
    message = "namespace `{Self}` has no `{R}` rooms",
    note = "list them: `#[namespace(rooms({R}))]` on `{Self}`"
)]
pub trait HasRooms<R>: Namespace {}

/// `L` handles every client event of the contract.
pub trait Complete<L>: Namespace {}

/// The namespace `/`, open: any event, any room, nothing to declare.
#[derive(Debug)]
pub enum Main {}

impl Namespace for Main {
    const PATH: &'static str = "/";
    type Auth = NoAuth;
    type Data = ();
    type State = ();
    type Contract = Self;
    type Unhandled = Open;
}
impl StaticNamespace for Main {}
impl<E> Emits<E> for Main {}
impl OpenContract for Main {}
#[diagnostic::do_not_recommend]
impl<R: RoomSet> HasRooms<R> for Main {}
impl<L> Complete<L> for Main {}

/// The `auth` of a namespace that asks for none: whatever a client sends is ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoAuth;

impl<'de> Deserialize<'de> for NoAuth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| NoAuth)
    }
}

/// Checks that the namespace of a handler accepts its event.
#[doc(hidden)]
pub fn accepts<N: Namespace, E: AcceptedBy<N::Contract>>() {}
