//! Who is in the namespace, and in which of its rooms.

use super::{Namespace, Peer, Recipient};
use crate::{
    namespace::room_events::RoomEvents,
    rooms::{
        Directory, IdTaken, Selection, Slot, SocketId,
        adapter::{Confirmed, Moved},
    },
    sync::{RwLockReadGuard, RwLockWriteGuard, atomic::Ordering},
};
use std::sync::Arc;

impl Namespace {
    /// The ids of the selected sockets of this server.
    pub(crate) fn sockets(&self, to: &Selection) -> Vec<SocketId> {
        let snapshot = self.read().select(to);
        snapshot
            .iter()
            .map(|recipient| recipient.peer.id().clone())
            .collect()
    }

    /// How many sockets of this server are selected.
    pub(crate) fn count(&self, to: &Selection) -> usize {
        let snapshot = self.read().select(to);
        snapshot.iter().count()
    }

    /// The selected peers of this server.
    pub(in crate::namespace) fn peers(&self, to: &Selection) -> Vec<Arc<Peer>> {
        let snapshot = self.read().select(to);
        snapshot
            .iter()
            .map(|recipient| recipient.peer.clone())
            .collect()
    }

    /// How many sockets of this server are in it, and how many rooms they have joined.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let members = self.read();
        (members.len(), members.room_count())
    }

    /// The peer with this id, if it is on this server.
    #[cfg(feature = "test")]
    pub(crate) fn peer(&self, id: &SocketId) -> Option<Arc<Peer>> {
        let members = self.read();
        let (_, recipient) = members.find(id.as_str())?;
        Some(recipient.peer.clone())
    }

    /// What happens to rooms from now on.
    pub(crate) fn room_events(&self) -> RoomEvents {
        self.watchers.watch()
    }

    /// The rooms that have a member on this server, those named by a socket's own id among them.
    pub(crate) fn rooms(&self) -> Vec<String> {
        self.read().rooms().map(str::to_owned).collect()
    }
}

/// Coming and going.
impl Namespace {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Directory<Recipient>> {
        self.members.read().expect("no code panics under this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory<Recipient>> {
        self.members
            .write()
            .expect("no code panics under this lock")
    }

    /// Lets a peer in: from here on it receives broadcasts. With a token it may come back.
    pub(in crate::namespace) fn enter(&self, peer: &Arc<Peer>, token: Option<&str>) {
        let order = self.order();
        if let (Some(recovery), Some(token)) = (self.recovery(), token) {
            peer.begin_session();
            drop(recovery.begin(peer.id(), token));
        }
        self.insert(peer, Vec::new())
            .expect("120 random bits do not repeat");
        drop(order);
    }

    /// Lets a peer in that was here before, into its rooms, with what is broadcast held back. Not if somebody else has come
    /// back as the same.
    pub(in crate::namespace) fn enter_again(
        &self,
        peer: &Arc<Peer>,
        rooms: Vec<Box<str>>,
    ) -> Result<(), IdTaken> {
        let order = self.order();
        self.returning.fetch_add(1, Ordering::Release);
        self.insert(peer, rooms).inspect_err(|_| self.returned())?;
        drop(order);
        Ok(())
    }

    /// Somebody has come back, or has given up.
    pub(in crate::namespace) fn returned(&self) {
        self.returning.fetch_sub(1, Ordering::Release);
    }

    fn insert(&self, peer: &Arc<Peer>, mut rooms: Vec<Box<str>>) -> Result<(), IdTaken> {
        let recipient = Recipient {
            mailbox: peer.mailbox().clone(),
            peer: peer.clone(),
        };
        let mut members = self.write();
        let slot = members.insert(peer.id().clone(), recipient)?;
        // Under the lock, so that whoever finds the peer finds its slot.
        peer.set_slot(slot);
        let own = peer.id().as_str();
        self.watchers
            .joined(peer.id(), own, || members.count(own) == 1);
        rooms.retain(|room| {
            let joined = members.join(slot, room);
            if joined.changed {
                self.watchers.joined(peer.id(), room, || joined.created);
            }
            joined.changed
        });
        drop(members);
        rooms.push(own.into());
        drop(self.channel().moved(peer.id(), Moved::Joined(&rooms)));
        Ok(())
    }

    /// Takes a peer out of all its rooms. It does not matter if it is out already.
    pub(in crate::namespace) fn exit(&self, peer: &Peer) {
        let Some(slot) = peer.slot() else {
            return;
        };
        let order = self.order();
        let mut members = self.write();
        let removed = members.remove(slot);
        if let Some(removed) = &removed {
            self.watchers.gone(peer.id(), &removed.rooms);
        }
        drop(members);
        if let Some(removed) = &removed {
            let rooms = removed.rooms.iter().map(|room| (*room.name).into());
            let rooms: Vec<_> = rooms.collect();
            drop(self.channel().moved(peer.id(), Moved::Gone(&rooms)));
        }
        drop(order);
        // What was removed is dropped here, outside the locks.
    }

    pub(in crate::namespace) fn join_slot(
        &self,
        slot: Slot,
        id: &SocketId,
        rooms: &[Box<str>],
    ) -> Confirmed {
        let (max_rooms, max_name) = self.config(|config| (config.max_rooms, config.max_room_name));
        let mut refused = 0;
        let order = self.order();
        let mut members = self.write();
        let joined = changed(rooms, |room| {
            let is_known = || members.contains(slot, room);
            if room.len() > max_name || (members.joined(slot) >= max_rooms && !is_known()) {
                refused += 1;
                return false;
            }
            let joined = members.join(slot, room);
            if joined.changed {
                self.watchers.joined(id, room, || joined.created);
            }
            joined.changed
        });
        drop(members);
        let confirmed = match joined.is_empty() {
            true => Confirmed::now(),
            false => self.channel().moved(id, Moved::Joined(&joined)),
        };
        drop(order);
        if refused > 0 {
            self.count_refused("room_not_joined");
            tracing::warn!(
                namespace = ?self.path, socket = %id, refused, max_rooms, max_name,
                "not joined: the socket is in too many rooms, or the room's name is too long"
            );
        }
        confirmed
    }

    pub(in crate::namespace) fn leave_slot(
        &self,
        slot: Slot,
        id: &SocketId,
        rooms: &[Box<str>],
    ) -> Confirmed {
        let _order = self.order();
        let mut members = self.write();
        let left = changed(rooms, |room| {
            let left = members.leave(slot, room);
            if left.changed {
                self.watchers.left(id, room, left.deleted);
            }
            left.changed
        });
        drop(members);
        match left.is_empty() {
            true => Confirmed::now(),
            false => self.channel().moved(id, Moved::Left(&left)),
        }
    }

    pub(in crate::namespace) fn rooms_of(&self, slot: Slot) -> Vec<String> {
        self.read().rooms_of(slot).map(str::to_owned).collect()
    }

    pub(in crate::namespace) fn is_in(&self, slot: Slot, room: &str) -> bool {
        self.read().contains(slot, room)
    }
}

/// Those of `rooms` for which `change` says that something changed.
fn changed(rooms: &[Box<str>], mut change: impl FnMut(&str) -> bool) -> Vec<Box<str>> {
    rooms.iter().filter(|room| change(room)).cloned().collect()
}
