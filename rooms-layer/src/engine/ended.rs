use crate::session::SessionId;
use foldhash::fast::RandomState;
use std::hash::BuildHasher;

/// How many are remembered, in 8 bytes each. Clients ask for their ended session once more within seconds, or never.
const PLACES: usize = 1024;

/// The sessions that have ended here lately. A later one may take the place of an earlier one.
pub(super) struct Ended {
    hasher: RandomState,
    hashes: Box<[u64; PLACES]>,
}

impl Default for Ended {
    fn default() -> Self {
        Self {
            hasher: RandomState::default(),
            hashes: Box::new([0; PLACES]),
        }
    }
}

impl Ended {
    pub(super) fn note(&mut self, session: &SessionId) {
        let hash = self.hasher.hash_one(session);
        self.hashes[place(hash)] = hash;
    }

    pub(super) fn knows(&self, session: &SessionId) -> bool {
        let hash = self.hasher.hash_one(session);
        self.hashes[place(hash)] == hash
    }
}

fn place(hash: u64) -> usize {
    hash as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_lately_is_known() {
        let mut ended = Ended::default();
        let (session, other) = (SessionId::random(), SessionId::random());
        assert!(!ended.knows(&session));
        ended.note(&session);
        assert!(ended.knows(&session) && !ended.knows(&other));

        // Each place is taken again, and no more memory than before.
        for _ in 0..20 * PLACES {
            ended.note(&SessionId::random());
        }
        assert!(!ended.knows(&session));
    }
}
