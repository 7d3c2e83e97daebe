//! The room's side of the index: who is in it, in chunks that a broadcast may keep while the room goes on changing.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

/// How many members share a chunk.
///
/// A larger chunk makes a snapshot cheaper (one reference for each), a smaller one a join or leave beside a snapshot
/// (a copy of the chunk it touches: the last one, and for a leave also the one with the gap).
const CHUNK: usize = 256;

/// The members of a room, each at a position that its socket remembers.
///
/// Every chunk but the last is full, and none is empty, so that a position leads straight to its place. Cloning copies
/// no member: the clone keeps the chunks as they are, and a chunk that is shared is copied before it changes.
#[derive(Clone)]
pub(super) struct Members<H> {
    chunks: SmallVec<[Arc<Chunk<H>>; 1]>,
}

/// Small rooms are the many, and they should pay for what they hold: up to two members lie in the chunk's own allocation.
type Chunk<H> = SmallVec<[Member<H>; 2]>;

/// One socket as a room sees it: its place among the sockets, and where to deliver.
#[derive(Clone)]
pub(super) struct Member<H> {
    pub(super) socket: u32,
    pub(super) handle: H,
}

impl<H> Members<H> {
    pub(super) const fn new() -> Self {
        Self {
            chunks: SmallVec::new_const(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self.chunks.last() {
            Some(last) => (self.chunks.len() - 1) * CHUNK + last.len(),
            None => 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(super) fn slices(&self) -> impl Iterator<Item = &[Member<H>]> {
        self.chunks.iter().map(|chunk| chunk.as_slice())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member<H>> {
        self.slices().flat_map(<[_]>::iter)
    }
}

impl<H: Clone> Members<H> {
    /// Adds a member at the end and returns its position.
    pub(super) fn push(&mut self, member: Member<H>) -> u32 {
        let position = u32::try_from(self.len())
            .expect("a room has fewer members than there are socket indices");
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(member),
            _ => self.chunks.push(Arc::new(smallvec![member])),
        }
        position
    }

    /// Takes the member at `position` out. The last member moves into the gap: its socket is returned, if there is one.
    pub(super) fn swap_remove(&mut self, position: u32) -> Option<u32> {
        let last = Arc::make_mut(
            self.chunks
                .last_mut()
                .expect("a position belongs to a member"),
        );
        let member = last.pop().expect("no chunk is empty");
        if last.is_empty() {
            self.chunks.pop();
            shrink(&mut self.chunks);
        } else {
            shrink(last);
        }

        let position = position as usize;
        if position == self.len() {
            return None;
        }
        let moved = member.socket;
        Arc::make_mut(&mut self.chunks[position / CHUNK])[position % CHUNK] = member;
        Some(moved)
    }
}

/// Gives memory back once three quarters lie idle; not earlier, or a member coming and going would reallocate each time.
fn shrink<A: smallvec::Array>(vec: &mut SmallVec<A>) {
    if vec.spilled() && vec.len() <= vec.capacity() / 4 {
        vec.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(count: u32) -> Members<()> {
        let mut members = Members::new();
        for socket in 0..count {
            assert_eq!(members.push(Member { socket, handle: () }), socket);
        }
        members
    }

    fn sockets(members: &Members<()>) -> Vec<u32> {
        members.iter().map(|member| member.socket).collect()
    }

    #[test]
    fn removal_moves_the_last_member_into_the_gap() {
        // (members, position, who moved)
        let cases = [
            (1, 0, None),
            (2, 0, Some(1)),
            (2, 1, None),
            (256, 255, None),
            (257, 256, None),
            (257, 255, Some(256)),
            (258, 0, Some(257)),
            (700, 256, Some(699)),
        ];
        for (count, position, moved) in cases {
            let mut members = members(count);
            assert_eq!(
                members.swap_remove(position),
                moved,
                "{count} members without {position}"
            );

            let mut expected: Vec<_> = (0..count).collect();
            expected.swap_remove(position as usize);
            assert_eq!(sockets(&members), expected);
            assert_eq!(members.len(), expected.len());
            assert_eq!(members.is_empty(), expected.is_empty());
        }
    }

    #[test]
    fn a_clone_keeps_what_it_saw_and_shares_what_did_not_change() {
        let mut members = members(700);
        let before = members.clone();
        members.swap_remove(3);
        members.push(Member {
            socket: 999,
            handle: (),
        });

        assert_eq!(sockets(&before), (0..700).collect::<Vec<_>>());
        let shared: Vec<_> = before
            .chunks
            .iter()
            .zip(&members.chunks)
            .map(|(old, new)| Arc::ptr_eq(old, new))
            .collect();
        assert_eq!(shared, [false, true, false]);
    }

    #[test]
    fn an_emptied_crowd_gives_its_memory_back() {
        let mut members = members(100_000);
        while members.len() > 1 {
            members.swap_remove(0);
        }
        assert!(members.chunks.capacity() <= 4);
        assert!(members.chunks[0].capacity() <= 4);
    }

    #[test]
    fn a_member_costs_little() {
        assert!(size_of::<Member<Arc<()>>>() <= 16);
        assert!(size_of::<Members<Arc<()>>>() <= 32);
    }
}
