use super::{Mailbox, ended::Ended};
use crate::{
    session::{CloseCause, SessionId},
    sync::{Mutex, MutexGuard},
};
use hashbrown::{HashMap, hash_map};
use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

/// The open connections by their secret session id.
#[derive(Default)]
pub(crate) struct Registry {
    sessions: Mutex<Sessions>,
    /// The same as `closed`, for those who ask at every emit.
    closing: AtomicBool,
}

#[derive(Default)]
struct Sessions {
    /// Those included whose handshake is not over: they lead nowhere yet.
    open: HashMap<SessionId, Weak<Mailbox>, foldhash::fast::RandomState>,
    /// How many those are.
    promised: usize,
    /// So that a client which asks for one of these is not taken for another server's.
    ended: Ended,
    /// Set by `close`: connections that arrive later are closed at once.
    closed: Option<CloseCause>,
}

/// A session id that nobody else gets while this lives, from the handshake to every way out of the connection's task.
pub(crate) struct Entry {
    registry: Arc<Registry>,
    session: SessionId,
    /// A connection goes by it.
    filled: bool,
}

/// Why an id that the application made can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadId {
    /// Empty, too long, or of characters that do not travel in a query.
    Odd,
    /// A connection goes by it, or will.
    Taken,
}

impl Registry {
    /// Sets an id of ours aside for a connection.
    pub(crate) fn reserve(self: &Arc<Self>) -> Entry {
        loop {
            if let Ok(entry) = self.reserve_id(SessionId::random()) {
                return entry;
            }
        }
    }

    /// Sets an id aside for a connection, if nobody has it.
    pub(crate) fn reserve_id(self: &Arc<Self>, session: SessionId) -> Result<Entry, BadId> {
        let mut sessions = self.sessions();
        match sessions.open.entry(session.clone()) {
            hash_map::Entry::Occupied(_) => return Err(BadId::Taken),
            hash_map::Entry::Vacant(place) => place.insert(Weak::new()),
        };
        sessions.promised += 1;
        drop(sessions);
        Ok(Entry {
            registry: self.clone(),
            session,
            filled: false,
        })
    }

    /// The connection that only the owner of its secret can name.
    pub(crate) fn find(&self, session: &SessionId) -> Option<Arc<Mailbox>> {
        self.sessions().open.get(session)?.upgrade()
    }

    /// Whether a connection goes by this id here, be it about to end, or went by it not long ago.
    pub(crate) fn remembers(&self, session: &SessionId) -> bool {
        let sessions = self.sessions();
        sessions.open.contains_key(session) || sessions.ended.knows(session)
    }

    pub(crate) fn len(&self) -> usize {
        let sessions = self.sessions();
        sessions.open.len() - sessions.promised
    }

    /// Those that are open at this moment.
    pub(crate) fn all(&self) -> Vec<Arc<Mailbox>> {
        let sessions = self
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.open.values().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self, cause: CloseCause) {
        let mut sessions = self.sessions();
        sessions.closed = Some(cause);
        self.closing.store(true, Ordering::Release);
        let open: Vec<_> = sessions.open.values().filter_map(Weak::upgrade).collect();
        drop(sessions);
        for mailbox in open {
            mailbox.close(cause);
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions
            .lock()
            .expect("no code panics under this lock")
    }
}

impl Entry {
    pub(crate) fn session(&self) -> &SessionId {
        &self.session
    }

    /// Has the id lead to a connection.
    pub(super) fn fill(&mut self, mailbox: &Arc<Mailbox>) {
        let mut sessions = self.registry.sessions();
        let place = sessions.open.get_mut(&self.session);
        *place.expect("an entry is in its registry") = Arc::downgrade(mailbox);
        sessions.promised -= 1;
        self.filled = true;
        if let Some(cause) = sessions.closed {
            mailbox.close(cause);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut sessions = self.registry.sessions();
        sessions.open.remove(&self.session);
        sessions.ended.note(&self.session);
        if !self.filled {
            sessions.promised -= 1;
        }
        // Gives memory back after a storm; amortised, since it halves at most.
        if sessions.open.capacity() > 1024 && sessions.open.len() < sessions.open.capacity() / 4 {
            let half = sessions.open.capacity() / 2;
            sessions.open.shrink_to(half);
        }
    }
}
