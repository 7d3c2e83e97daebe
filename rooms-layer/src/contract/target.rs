//! What `.to(..)`, `.except(..)` and `.join(..)` take.

use super::{
    namespace::{HasRooms, Namespace},
    room::{At, Direct, DynRoom, In, One, RoomKind, RoomSet, name_of},
};
use crate::rooms::SocketId;

/// A room, several of them, or a socket of namespace `N`; by value or by reference.
///
/// The rooms of a set made with `#[derive(Room)]`, a [`SocketId`], a [`DynRoom`], and arrays, slices and vectors of one of
/// these. An empty list means nobody.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a room of namespace `{N}`",
    label = "expected a room",
    note = "use a constructor of your `#[derive(Room)]` enum (`Room::project(id)`), a `SocketId`, an array or `Vec` of rooms, or `DynRoom(name)`"
)]
pub trait Target<N: Namespace> {
    /// Who an event must be allowed to reach.
    type Audience;
    /// Adds the names of the rooms.
    fn collect(&self, names: &mut Vec<Box<str>>);
}

impl<N, R, K> Target<N> for In<R, K>
where
    N: HasRooms<R>,
    R: RoomSet,
    K: RoomKind<Set = R>,
{
    type Audience = One<R, K::Index, K>;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        push_room(self.room(), names);
    }
}
impl<N: Namespace> Target<N> for SocketId {
    type Audience = Direct;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        names.push(self.as_str().into());
    }
}
impl<N: Namespace> Target<N> for DynRoom {
    type Audience = One<DynRoom, At<0>, DynRoom>;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        names.push(self.0.as_str().into());
    }
}
#[diagnostic::do_not_recommend]
impl<N: Namespace, T: Target<N> + ?Sized> Target<N> for &T {
    type Audience = T::Audience;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        (**self).collect(names);
    }
}
impl<N: Namespace, T: Target<N>> Target<N> for [T] {
    type Audience = T::Audience;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        self.iter().for_each(|target| target.collect(names));
    }
}
impl<N: Namespace, T: Target<N>> Target<N> for Vec<T> {
    type Audience = T::Audience;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        self[..].collect(names);
    }
}
impl<N: Namespace, T: Target<N>, const L: usize> Target<N> for [T; L] {
    type Audience = T::Audience;
    fn collect(&self, names: &mut Vec<Box<str>>) {
        self[..].collect(names);
    }
}

/// What `#[derive(Room)]` calls for a bare value of the set.
#[doc(hidden)]
pub fn push_room<R: RoomSet>(room: &R, names: &mut Vec<Box<str>>) {
    names.push(name_of(room).into_boxed_str());
}

/// The names of the rooms of a target.
pub(crate) fn names<N: Namespace, T: Target<N>>(target: T) -> Vec<Box<str>> {
    let mut names = Vec::new();
    target.collect(&mut names);
    names
}
