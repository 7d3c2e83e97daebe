//! Rooms: sets of them, kinds of them, their names, and who of them an event may reach.

use super::{
    event::{Broadcastable, EncodeArgs, Event, ServerEvent, WithoutAck},
    namespace::EmittedBy,
};
use std::{fmt, marker::PhantomData};

/// A closed set of rooms. [Derive](derive@crate::Room) it with `#[derive(Room)]` on an enum.
pub trait RoomSet: Sized + Send + Sync + 'static {
    /// The audience of a value whose variant is only known at run time: every variant.
    type AnyKind;
    /// Writes the room's name. No two rooms of a set have the same.
    fn write(&self, out: &mut String);
    /// Reads a room's name; `None` unless [`write`](RoomSet::write) could have written it.
    fn parse(name: &str) -> Option<Self>;
}

/// One variant of a room set, as a type: `room::Project` of `Room::Project`.
pub trait RoomKind: 'static {
    /// The set it belongs to.
    type Set: RoomSet;
    /// Its position in the set: an [`At`].
    type Index;
    /// The first part of the names of its rooms.
    const NAME: &'static str;
}

/// The position of a variant, as a type.
#[derive(Debug)]
pub enum At<const I: usize> {}

/// A room whose kind is known at compile time: what `Room::project(id)` returns.
pub struct In<R, K> {
    room: R,
    kind: PhantomData<fn() -> K>,
}

impl<R, K> In<R, K> {
    #[doc(hidden)]
    pub fn new(room: R) -> Self {
        In {
            room,
            kind: PhantomData,
        }
    }

    /// Forgets the kind. An event must then be allowed in *every* variant of the set.
    pub fn erase(self) -> R {
        self.room
    }

    /// The room as a value of its set.
    pub fn room(&self) -> &R {
        &self.room
    }
}

impl<R: Clone, K> Clone for In<R, K> {
    fn clone(&self) -> Self {
        In::new(self.room.clone())
    }
}
impl<R: PartialEq, K> PartialEq for In<R, K> {
    fn eq(&self, other: &Self) -> bool {
        self.room == other.room
    }
}
impl<R: RoomSet, K> fmt::Display for In<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name_of(&self.room))
    }
}
impl<R: RoomSet, K> fmt::Debug for In<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("In").field(&name_of(&self.room)).finish()
    }
}

/// A room named by an arbitrary string: the way out of typed rooms. Events opt in with `#[event(to(dynamic))]`.
///
/// ```
/// # use rooms_layer::prelude::*;
/// #[derive(Event)]
/// #[event(server, to(dynamic))]
/// struct Refresh;
///
/// fn refresh(io: Io<Main>) -> Result<(), rooms_layer::Error> {
///     io.to(DynRoom::from("legacy room")).emit(Refresh)?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DynRoom(pub String);

impl<S: Into<String>> From<S> for DynRoom {
    fn from(name: S) -> Self {
        DynRoom(name.into())
    }
}

/// The event may go to the rooms of kind `K`, at position `I` of the set `R`.
#[diagnostic::on_unimplemented(
    message = "event `{Self}` may not be emitted to `{K}` rooms",
    label = "`{K}` is not in this event's audience",
    note = "allow it with `#[event(to(..))]` on `{Self}`"
)]
pub trait EmitTo<R, I, K> {}
#[diagnostic::do_not_recommend]
impl<R, I, K, E: Permits<R, I>> EmitTo<R, I, K> for E {}

/// What `#[event(to(..))]` implements. It names a kind by its position: a projection to the kind in the header of an
/// implementation does not pass coherence when the set comes from another crate.
#[doc(hidden)]
pub trait Permits<R, I> {}

/// An event that knows its own room: `#[event(to(Room::Project(id)))]`. The id can't be the wrong one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its own room",
    note = "name the field: `#[event(to(Room::Project(id)))]`, or call `io.to(..).emit(..)`"
)]
pub trait Routed {
    /// The set of its room.
    type Set: RoomSet;
    /// The room, built from the event's fields.
    fn route(&self) -> Self::Set;
}

/// Everything a generic helper needs to emit `E` to rooms of kind `K` of namespace `N`.
///
/// ```
/// # use rooms_layer::{prelude::*, EmitIn, Error};
/// # #[derive(Room)] enum Room { User(u32) }
/// fn tell<E: EmitIn<Main, room::User>>(io: &Io<Main>, user: u32, event: E) -> Result<(), Error> {
///     io.to(Room::user(user)).emit(event)?;
///     Ok(())
/// }
/// ```
pub trait EmitIn<N, K: RoomKind>:
    Event<This = Self>
    + ServerEvent
    + EmittedBy<N>
    + EmitTo<K::Set, K::Index, K>
    + WithoutAck
    + EncodeArgs
{
}
impl<N, K: RoomKind, E> EmitIn<N, K> for E where
    E: Event<This = Self>
        + ServerEvent
        + EmittedBy<N>
        + EmitTo<K::Set, K::Index, K>
        + WithoutAck
        + EncodeArgs
{
}

/// An audience: everyone in the namespace.
#[derive(Debug)]
pub enum Everyone {}
/// An audience: sockets named by their id.
#[derive(Debug)]
pub enum Direct {}
/// An audience: the rooms at position `I` of the set `R`.
#[derive(Debug)]
pub struct One<R, I, K>(PhantomData<(R, I, K)>);

/// An audience, collected by calls of `.to(..)`, that `E` is allowed to reach.
///
/// Its `Self` is not the event, so that rustc reports the permission that the event lacks and not this trait.
pub trait Admits<E> {}
impl<R, I, K, E: EmitTo<R, I, K>> Admits<E> for One<R, I, K> {}
impl<E: Broadcastable> Admits<E> for Everyone {}
impl<E> Admits<E> for Direct {}
impl<E> Admits<E> for () {}
impl<E, H: Admits<E>, T: Admits<E>> Admits<E> for (H, T) {}

/// The name of a room, as a string of its own.
pub(crate) fn name_of<R: RoomSet>(room: &R) -> String {
    let mut name = String::new();
    room.write(&mut name);
    name
}
