//! The socket's side of the index: the rooms it is in, and its position in each.

use std::mem;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// The rooms of one socket.
///
/// Most sockets are in a handful of rooms, where a scan of a line or two of cache beats any hashing. From there on a map
/// takes over, or else a socket in thousands of rooms would slow down everybody who leaves one of them.
pub(super) enum Memberships {
    Few(SmallVec<[Membership; 2]>),
    Many(Box<HashMap<u32, u32, RandomState>>),
}

/// That the socket is in `room`, at `position` among the room's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Membership {
    pub(super) room: u32,
    pub(super) position: u32,
}

const FEW: usize = 16;

impl Memberships {
    pub(super) const fn new() -> Self {
        Self::Few(SmallVec::new_const())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub(super) fn contains(&self, room: u32) -> bool {
        match self {
            Self::Few(few) => few.iter().any(|membership| membership.room == room),
            Self::Many(many) => many.contains_key(&room),
        }
    }

    /// Records a room that the socket was not in.
    pub(super) fn insert(&mut self, membership: Membership) {
        match self {
            Self::Few(few) if few.len() < FEW => few.push(membership),
            Self::Few(few) => {
                let all = mem::take(few).into_iter().chain([membership]);
                *self = Self::Many(Box::new(
                    all.map(|membership| (membership.room, membership.position))
                        .collect(),
                ));
            }
            Self::Many(many) => {
                many.insert(membership.room, membership.position);
            }
        }
    }

    /// Records where the socket now stands in a room that it is in.
    pub(super) fn reposition(&mut self, Membership { room, position }: Membership) {
        let entry = match self {
            Self::Few(few) => few
                .iter_mut()
                .find(|membership| membership.room == room)
                .map(|found| &mut found.position),
            Self::Many(many) => many.get_mut(&room),
        };
        *entry.expect("a member of a room knows that it is in it") = position;
    }

    /// Forgets a room and returns the position that the socket had in it.
    pub(super) fn remove(&mut self, room: u32) -> Option<u32> {
        match self {
            Self::Few(few) => {
                let place = few.iter().position(|membership| membership.room == room)?;
                Some(few.swap_remove(place).position)
            }
            Self::Many(many) => {
                let position = many.remove(&room)?;
                if many.is_empty() {
                    *self = Self::new();
                }
                Some(position)
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Membership> {
        let (few, many) = match self {
            Self::Few(few) => (few.as_slice(), None),
            Self::Many(many) => (&[][..], Some(many.iter())),
        };
        let many = many
            .into_iter()
            .flatten()
            .map(|(&room, &position)| Membership { room, position });
        few.iter().copied().chain(many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_rooms_answer_alike() {
        for count in [0, 1, 2, 3, 15, 16, 17, 1_000] {
            let mut memberships = Memberships::new();
            for room in 0..count {
                memberships.insert(Membership { room, position: 7 });
                memberships.reposition(Membership {
                    room,
                    position: room * 2,
                });
            }
            assert_eq!(
                matches!(memberships, Memberships::Many(_)),
                count > FEW as u32
            );
            assert_eq!(memberships.len(), count as usize);
            assert!(!memberships.contains(count));
            assert_eq!(memberships.remove(count), None);

            let mut all: Vec<_> = memberships.iter().collect();
            all.sort();
            assert!(all.into_iter().eq((0..count).map(|room| Membership {
                room,
                position: room * 2
            })));

            for room in 0..count {
                assert!(memberships.contains(room));
                assert_eq!(memberships.remove(room), Some(room * 2));
                assert!(!memberships.contains(room));
            }
            assert!(
                matches!(memberships, Memberships::Few(_)),
                "an empty list is a small one"
            );
        }
    }

    #[test]
    fn a_membership_costs_little() {
        assert_eq!(size_of::<Membership>(), 8);
        assert!(size_of::<Memberships>() <= 32);
    }
}
