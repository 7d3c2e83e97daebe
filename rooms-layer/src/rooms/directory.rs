use std::{fmt, hash::BuildHasher, mem, sync::Arc};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use slab::Slab;

use super::{
    change::{Joined, Left, LeftRoom, Removed},
    id::SocketId,
    members::{Member, Members},
    memberships::{Membership, Memberships},
    select::{Part, Parts, Selection, Snapshot},
};

/// The two-way index of one namespace: which rooms a socket is in, and which sockets are in a room.
///
/// `H` is what a recipient is delivered to, such as its mailbox. It is cloned into every room that the socket joins, so
/// that choosing recipients looks nothing up; it should be as cheap to clone as an [`Arc`].
///
/// Rooms exist while somebody is in them. Every socket starts in a room named by its own id. That room takes no memory
/// of its own: the name leads to the socket. Others may join a room of that name as well, and a socket may leave its
/// own, after which broadcasts to its id (and those that except it) pass it by, as in Socket.IO.
///
/// A stale [`Slot`] is harmless: nothing changes, and the answer is that of a socket in no rooms.
pub struct Directory<H> {
    sockets: Slab<Socket<H>>,
    rooms: Slab<Room<H>>,
    /// Indices into `sockets` and `rooms`, found by the hash of the id or name that is stored there, once. Clients
    /// choose names, so the hash is seeded.
    sockets_by_id: HashTable<u32>,
    rooms_by_name: HashTable<u32>,
    hasher: RandomState,
    everybody: Members<H>,
    next_generation: u32,
}

/// Where a socket stands in a [`Directory`]: the key to everything that concerns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    index: u32,
    /// Tells the socket from those that had the same index before it.
    generation: u32,
}

/// The directory refused a socket because another one has its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a connected socket already has this id")]
pub struct IdTaken;

struct Socket<H> {
    id: SocketId,
    handle: H,
    memberships: Memberships,
    /// Its position among everybody.
    position: u32,
    generation: u32,
    in_own_room: bool,
}

struct Room<H> {
    name: Arc<str>,
    /// Those who joined. A socket whose id is the name never is among them: `in_own_room` speaks for it.
    members: Members<H>,
}

impl<H> Directory<H> {
    /// Makes a directory with nobody in it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sockets: Slab::new(),
            rooms: Slab::new(),
            sockets_by_id: HashTable::new(),
            rooms_by_name: HashTable::new(),
            hasher: RandomState::default(),
            everybody: Members::new(),
            next_generation: 0,
        }
    }

    /// Returns the number of sockets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Tells whether there is no socket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Returns the number of rooms that somebody has joined. Those that every socket has of its own are not counted.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Finds a socket by its id, whether or not it is in its own room.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(Slot, &H)> {
        let index = self.socket_with_id(self.hash(id), id)?;
        Some((self.slot(index), &self.sockets[index as usize].handle))
    }

    /// Returns the id of a socket.
    #[must_use]
    pub fn id(&self, slot: Slot) -> Option<&SocketId> {
        self.socket(slot).map(|socket| &socket.id)
    }

    /// Returns the handle of a socket.
    #[must_use]
    pub fn handle(&self, slot: Slot) -> Option<&H> {
        self.socket(slot).map(|socket| &socket.handle)
    }

    /// Tells whether a socket is in a room.
    #[must_use]
    pub fn contains(&self, slot: Slot, room: &str) -> bool {
        let Some(socket) = self.socket(slot) else {
            return false;
        };
        if socket.id.as_str() == room {
            return socket.in_own_room;
        }
        self.room_with_name(self.hash(room), room)
            .is_some_and(|room| socket.memberships.contains(room))
    }

    /// Returns how many rooms a socket is in, its own not counted.
    #[must_use]
    pub fn joined(&self, slot: Slot) -> usize {
        self.socket(slot)
            .map_or(0, |socket| socket.memberships.len())
    }

    /// Walks over the rooms of a socket: its own first, the others in no particular order.
    pub fn rooms_of(&self, slot: Slot) -> impl Iterator<Item = &str> {
        self.socket(slot).into_iter().flat_map(|socket| {
            let own = socket.in_own_room.then_some(socket.id.as_str());
            own.into_iter().chain(
                socket
                    .memberships
                    .iter()
                    .map(|joined| &*self.rooms[joined.room as usize].name),
            )
        })
    }

    /// Walks over all rooms, each once, in no particular order.
    pub fn rooms(&self) -> impl Iterator<Item = &str> {
        let own = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.in_own_room)
            .map(|(_, socket)| socket.id.as_str());
        let unjoined = own.filter(|id| self.room_with_name(self.hash(id), id).is_none());
        self.rooms
            .iter()
            .map(|(_, room)| &*room.name)
            .chain(unjoined)
    }

    /// Walks over the sockets in a room, each once, in no particular order.
    pub fn members_of(&self, room: &str) -> impl Iterator<Item = &SocketId> {
        let (own, members) = self.resolve(room);
        let joined = members
            .into_iter()
            .flat_map(Members::iter)
            .map(|member| member.socket);
        own.into_iter()
            .chain(joined)
            .map(|index| &self.sockets[index as usize].id)
    }

    /// Returns the number of sockets in a room, which is 0 if there is no such room.
    #[must_use]
    pub fn count(&self, room: &str) -> usize {
        let (own, members) = self.resolve(room);
        usize::from(own.is_some()) + members.map_or(0, Members::len)
    }
}

impl<H: Clone> Directory<H> {
    /// Adds a socket, in no room but its own.
    ///
    /// That room counts as created, unless somebody had joined a room of that name before: [`count`](Self::count) tells.
    ///
    /// # Errors
    ///
    /// Refuses a socket whose id another one has.
    pub fn insert(&mut self, id: SocketId, handle: H) -> Result<Slot, IdTaken> {
        let hash = self.hash(id.as_str());
        if self.socket_with_id(hash, id.as_str()).is_some() {
            return Err(IdTaken);
        }
        let entry = self.sockets.vacant_entry();
        let slot = Slot {
            index: to_index(entry.key()),
            generation: self.next_generation,
        };
        self.next_generation = self.next_generation.wrapping_add(1);
        entry.insert(Socket {
            id,
            position: self.everybody.push(Member {
                socket: slot.index,
                handle: handle.clone(),
            }),
            handle,
            memberships: Memberships::new(),
            generation: slot.generation,
            in_own_room: true,
        });
        let Self {
            sockets, hasher, ..
        } = self;
        self.sockets_by_id
            .insert_unique(hash, slot.index, |&index| {
                hasher.hash_one(sockets[index as usize].id.as_str())
            });
        Ok(slot)
    }

    /// Takes a socket out of every room and out of the directory.
    pub fn remove(&mut self, slot: Slot) -> Option<Removed<H>> {
        self.socket(slot)?;
        let Socket {
            id,
            handle,
            memberships,
            position,
            in_own_room,
            ..
        } = self.sockets.remove(slot.index as usize);

        let hash = self.hash(id.as_str());
        let entry = self
            .sockets_by_id
            .find_entry(hash, |&index| index == slot.index);
        entry.expect("every socket is found by its id").remove();
        if let Some(moved) = self.everybody.swap_remove(position) {
            self.sockets[moved as usize].position = position;
        }

        let mut rooms = Vec::with_capacity(usize::from(in_own_room) + memberships.len());
        if in_own_room {
            let deleted = self.room_with_name(hash, id.as_str()).is_none();
            rooms.push(LeftRoom {
                name: id.clone().into(),
                deleted,
            });
        }
        rooms.extend(memberships.iter().map(|membership| self.evict(membership)));
        Some(Removed { id, handle, rooms })
    }

    /// Puts a socket into a room.
    pub fn join(&mut self, slot: Slot, room: &str) -> Joined {
        let Some(socket) = self.socket_mut(slot) else {
            return Joined::default();
        };
        if socket.id.as_str() == room {
            let changed = !mem::replace(&mut socket.in_own_room, true);
            return Joined {
                changed,
                created: changed && self.count(room) == 1,
            };
        }

        let hash = self.hash(room);
        let (index, created) = match self.room_with_name(hash, room) {
            Some(index) => (index, false),
            None => (
                self.add_room(hash, room),
                self.own_room(hash, room).is_none(),
            ),
        };
        let socket = &mut self.sockets[slot.index as usize];
        if socket.memberships.contains(index) {
            return Joined::default();
        }
        let member = Member {
            socket: slot.index,
            handle: socket.handle.clone(),
        };
        let position = self.rooms[index as usize].members.push(member);
        socket.memberships.insert(Membership {
            room: index,
            position,
        });
        Joined {
            changed: true,
            created,
        }
    }

    /// Takes a socket out of a room.
    pub fn leave(&mut self, slot: Slot, room: &str) -> Left {
        let Some(socket) = self.socket_mut(slot) else {
            return Left::default();
        };
        if socket.id.as_str() == room {
            let changed = mem::replace(&mut socket.in_own_room, false);
            return Left {
                changed,
                deleted: changed && self.count(room) == 0,
            };
        }

        let Some(index) = self.room_with_name(self.hash(room), room) else {
            return Left::default();
        };
        let Some(position) = self.sockets[slot.index as usize].memberships.remove(index) else {
            return Left::default();
        };
        let LeftRoom { deleted, .. } = self.evict(Membership {
            room: index,
            position,
        });
        Left {
            changed: true,
            deleted,
        }
    }

    /// Chooses the recipients of a broadcast.
    ///
    /// This is the part that needs the directory, and little work: a reference for each 256 members of each room.
    pub fn select(&self, selection: &Selection) -> Snapshot<H> {
        let mut snapshot = Snapshot {
            rooms: Parts::new(),
            except: Parts::new(),
        };
        match &selection.rooms {
            Some(rooms) => rooms
                .iter()
                .for_each(|room| self.collect(room, &mut snapshot.rooms)),
            None => snapshot.rooms.push(Part::Room(self.everybody.clone())),
        }
        selection
            .except
            .iter()
            .for_each(|room| self.collect(room, &mut snapshot.except));
        snapshot
    }

    /// Lists the sockets that a broadcast would reach, for those who mean to move, disconnect or describe them.
    #[must_use]
    pub fn slots(&self, selection: &Selection) -> Vec<Slot> {
        self.select(selection)
            .members()
            .map(|member| self.slot(member.socket))
            .collect()
    }

    fn collect(&self, room: &str, parts: &mut Parts<H>) {
        let (own, members) = self.resolve(room);
        parts.extend(own.map(|socket| {
            Part::Own(Member {
                socket,
                handle: self.sockets[socket as usize].handle.clone(),
            })
        }));
        parts.extend(members.map(|members| Part::Room(members.clone())));
    }

    fn add_room(&mut self, hash: u64, name: &str) -> u32 {
        let index = to_index(self.rooms.insert(Room {
            name: name.into(),
            members: Members::new(),
        }));
        let Self { rooms, hasher, .. } = self;
        self.rooms_by_name.insert_unique(hash, index, |&index| {
            hasher.hash_one(&*rooms[index as usize].name)
        });
        index
    }

    /// Takes a member out of a room, whose socket has already forgotten it, and the room out of the directory if it was
    /// the last one.
    fn evict(
        &mut self,
        Membership {
            room: index,
            position,
        }: Membership,
    ) -> LeftRoom {
        let room = &mut self.rooms[index as usize];
        if let Some(moved) = room.members.swap_remove(position) {
            self.sockets[moved as usize]
                .memberships
                .reposition(Membership {
                    room: index,
                    position,
                });
        }
        if !room.members.is_empty() {
            return LeftRoom {
                name: room.name.clone(),
                deleted: false,
            };
        }

        let Room { name, .. } = self.rooms.remove(index as usize);
        let hash = self.hash(&name);
        let entry = self.rooms_by_name.find_entry(hash, |&other| other == index);
        entry.expect("every room is found by its name").remove();
        LeftRoom {
            deleted: self.own_room(hash, &name).is_none(),
            name,
        }
    }
}

impl<H> Directory<H> {
    /// Ids and names share one hash, so that a name that may be either costs one hashing.
    fn hash(&self, name: &str) -> u64 {
        self.hasher.hash_one(name)
    }

    fn socket_with_id(&self, hash: u64, id: &str) -> Option<u32> {
        self.sockets_by_id
            .find(hash, |&index| {
                self.sockets[index as usize].id.as_str() == id
            })
            .copied()
    }

    fn room_with_name(&self, hash: u64, name: &str) -> Option<u32> {
        self.rooms_by_name
            .find(hash, |&index| &*self.rooms[index as usize].name == name)
            .copied()
    }

    /// Finds the socket whose own room is called `name`, unless it has left it.
    fn own_room(&self, hash: u64, name: &str) -> Option<u32> {
        self.socket_with_id(hash, name)
            .filter(|&index| self.sockets[index as usize].in_own_room)
    }

    /// Returns the two halves of a room, which never overlap: the socket whose own room it is, and those who joined.
    fn resolve(&self, room: &str) -> (Option<u32>, Option<&Members<H>>) {
        let hash = self.hash(room);
        let members = self
            .room_with_name(hash, room)
            .map(|index| &self.rooms[index as usize].members);
        (self.own_room(hash, room), members)
    }

    fn slot(&self, index: u32) -> Slot {
        Slot {
            index,
            generation: self.sockets[index as usize].generation,
        }
    }

    fn socket(&self, slot: Slot) -> Option<&Socket<H>> {
        self.sockets
            .get(slot.index as usize)
            .filter(|socket| socket.generation == slot.generation)
    }

    fn socket_mut(&mut self, slot: Slot) -> Option<&mut Socket<H>> {
        self.sockets
            .get_mut(slot.index as usize)
            .filter(|socket| socket.generation == slot.generation)
    }
}

impl<H> Default for Directory<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Directory<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("sockets", &self.sockets.len())
            .field("rooms", &self.rooms.len())
            .finish_non_exhaustive()
    }
}

fn to_index(key: usize) -> u32 {
    u32::try_from(key).expect("memory ends before four billion sockets or rooms")
}

#[cfg(test)]
mod tests;
