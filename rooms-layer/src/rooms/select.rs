//! Choosing recipients: what is asked for, and the answer that outlives the lock.

use std::slice;

use smallvec::SmallVec;

use super::members::{Member, Members};

/// Who a broadcast is for: the sockets in any of `rooms`, without those in any of `except`.
///
/// A socket's id names a room with that socket in it, so that single sockets are chosen and left out in the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The rooms whose sockets are meant, each socket once. `None` means every socket of the namespace, which is what
    /// an empty list means on the wire; `Some` of no rooms means nobody.
    pub rooms: Option<Vec<Box<str>>>,
    /// The rooms whose sockets are left out.
    pub except: Vec<Box<str>>,
}

impl Selection {
    /// Means every socket.
    #[must_use]
    pub fn everybody() -> Self {
        Self::default()
    }

    /// Means the sockets in any of `rooms`.
    pub fn of<R: Into<Box<str>>>(rooms: impl IntoIterator<Item = R>) -> Self {
        Self {
            rooms: Some(rooms.into_iter().map(Into::into).collect()),
            except: Vec::new(),
        }
    }

    /// Leaves out the sockets in any of `rooms` too.
    #[must_use]
    pub fn except<R: Into<Box<str>>>(mut self, rooms: impl IntoIterator<Item = R>) -> Self {
        self.except.extend(rooms.into_iter().map(Into::into));
        self
    }
}

/// The recipients that a [`Selection`] had at one moment.
///
/// Taking one copies no member but a reference to each chunk of a few hundred. It stays what it was while the directory
/// changes, so that the walk over it needs no lock.
#[derive(Clone)]
#[must_use = "a snapshot delivers nothing by itself"]
pub struct Snapshot<H> {
    pub(super) rooms: Parts<H>,
    pub(super) except: Parts<H>,
}

pub(super) type Parts<H> = SmallVec<[Part<H>; 1]>;

/// What one room name stood for.
#[derive(Clone)]
pub(super) enum Part<H> {
    /// The socket whose id it is.
    Own(Member<H>),
    /// Those who joined it.
    Room(Members<H>),
}

impl<H> Snapshot<H> {
    /// Walks over the recipients, each once, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &H> {
        self.members().map(|member| &member.handle)
    }

    /// Calls `f` for each recipient, once: the walk of a broadcast, chunk by chunk.
    pub fn for_each(&self, mut f: impl FnMut(&H)) {
        let mut door = self.door();
        for slice in self.rooms.iter().flat_map(Part::slices) {
            for member in slice {
                if door.admits(member.socket) {
                    f(&member.handle);
                }
            }
        }
    }

    /// Tells whether there is nobody in the rooms, whoever is left out.
    pub fn is_empty(&self) -> bool {
        self.rooms.iter().all(|part| match part {
            Part::Own(_) => false,
            Part::Room(members) => members.is_empty(),
        })
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member<H>> {
        let mut door = self.door();
        self.rooms
            .iter()
            .flat_map(Part::members)
            .filter(move |member| door.admits(member.socket))
    }

    fn door(&self) -> Door {
        match (self.rooms.as_slice(), self.except.as_slice()) {
            ([] | [_], []) => Door::Open,
            ([] | [_], [Part::Own(Member { socket, .. })]) => Door::AllBut(*socket),
            (_, except) => {
                let mut seen = SocketSet::default();
                for member in except.iter().flat_map(Part::members) {
                    seen.insert(member.socket);
                }
                Door::Unseen(seen)
            }
        }
    }
}

impl<H> Part<H> {
    fn members(&self) -> impl Iterator<Item = &Member<H>> {
        self.slices().flat_map(<[_]>::iter)
    }

    fn slices(&self) -> impl Iterator<Item = &[Member<H>]> {
        let (own, room) = match self {
            Self::Own(member) => (Some(slice::from_ref(member)), None),
            Self::Room(members) => (None, Some(members.slices())),
        };
        own.into_iter().chain(room.into_iter().flatten())
    }
}

/// Decides who of the walked members is a recipient.
///
/// The broadcasts that make up the load, to one room with or without its sender, need no memory of who came before.
#[derive(Debug)]
enum Door {
    Open,
    AllBut(u32),
    Unseen(SocketSet),
}

impl Door {
    fn admits(&mut self, socket: u32) -> bool {
        match self {
            Self::Open => true,
            Self::AllBut(left_out) => socket != *left_out,
            Self::Unseen(seen) => seen.insert(socket),
        }
    }
}

/// A set of socket indices: a bitmap in pages, of which only the touched ones take memory, so that it suits the union
/// of two small rooms among a million sockets as well as that of two rooms of a million.
#[derive(Debug, Default)]
struct SocketSet {
    pages: Vec<Option<Box<[u64; PAGE_WORDS]>>>,
}

const PAGE_WORDS: usize = 64;

impl SocketSet {
    /// Adds a socket and tells whether it is new.
    fn insert(&mut self, socket: u32) -> bool {
        let (word, bit) = (socket as usize / 64, socket % 64);
        let (page, word) = (word / PAGE_WORDS, word % PAGE_WORDS);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let word = &mut self.pages[page].get_or_insert_with(|| Box::new([0; PAGE_WORDS]))[word];
        let new = *word & (1 << bit) == 0;
        *word |= 1 << bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(socket: u32) -> Part<u32> {
        Part::Own(Member {
            socket,
            handle: socket,
        })
    }

    fn room(sockets: &[u32]) -> Part<u32> {
        let mut members = Members::new();
        for &socket in sockets {
            members.push(Member {
                socket,
                handle: socket,
            });
        }
        Part::Room(members)
    }

    #[test]
    fn everyday_broadcasts_keep_no_set() {
        // (rooms, except, recipients, whether it takes a set)
        type Case = (Vec<Part<u32>>, Vec<Part<u32>>, &'static [u32], bool);
        let cases: [Case; 9] = [
            (vec![], vec![], &[], false),
            (vec![own(1)], vec![], &[1], false),
            (vec![room(&[1, 2])], vec![], &[1, 2], false),
            (vec![room(&[1, 2])], vec![own(1)], &[2], false),
            (vec![own(1)], vec![own(1)], &[], false),
            (vec![room(&[1, 2])], vec![own(1), own(2)], &[], true),
            (vec![room(&[1, 2])], vec![room(&[2, 3])], &[1], true),
            (vec![room(&[1, 2]), own(2)], vec![], &[1, 2], true),
            (
                vec![room(&[1, 2]), room(&[3, 2])],
                vec![own(1)],
                &[2, 3],
                true,
            ),
        ];
        for (rooms, except, recipients, keeps_set) in cases {
            let snapshot = Snapshot {
                rooms: rooms.into(),
                except: except.into(),
            };
            assert_eq!(snapshot.iter().copied().collect::<Vec<_>>(), recipients);
            assert_eq!(matches!(snapshot.door(), Door::Unseen(_)), keeps_set);
        }
    }

    #[test]
    fn a_socket_is_new_to_a_set_once() {
        let mut set = SocketSet::default();
        for socket in [0, 1, 63, 64, 4_095, 4_096, 1_000_000, 5_000] {
            assert!(set.insert(socket), "{socket}");
            assert!(!set.insert(socket), "{socket}");
        }
        let touched = set.pages.iter().flatten().count();
        assert_eq!(touched, 3, "pages nobody touched take no memory");
    }
}
