use super::Mailbox;
use crate::session::{CloseCause, SessionId};
use hashbrown::HashMap;
use std::sync::{
    Arc, Mutex, Weak,
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
    open: HashMap<SessionId, Weak<Mailbox>, foldhash::fast::RandomState>,
    /// Set by `close`: connections that arrive later are closed at once.
    closed: Option<CloseCause>,
}

/// Removes its session on every way out of the connection's task.
pub(crate) struct Entry {
    registry: Arc<Registry>,
    session: SessionId,
}

impl Registry {
    pub(crate) fn enter(self: &Arc<Self>, session: SessionId, mailbox: &Arc<Mailbox>) -> Entry {
        let mut sessions = self
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.open.insert(session, Arc::downgrade(mailbox));
        if let Some(cause) = sessions.closed {
            mailbox.close(cause);
        }
        drop(sessions);
        Entry {
            registry: self.clone(),
            session,
        }
    }

    /// The connection that only the owner of its secret can name.
    pub(crate) fn find(&self, session: &SessionId) -> Option<Arc<Mailbox>> {
        let sessions = self
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.open.get(session)?.upgrade()
    }

    pub(crate) fn len(&self) -> usize {
        let sessions = self
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.open.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn close(&self, cause: CloseCause) {
        let mut sessions = self
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.closed = Some(cause);
        self.closing.store(true, Ordering::Release);
        let open: Vec<_> = sessions.open.values().filter_map(Weak::upgrade).collect();
        drop(sessions);
        for mailbox in open {
            mailbox.close(cause);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut sessions = self
            .registry
            .sessions
            .lock()
            .expect("no code panics under this lock");
        sessions.open.remove(&self.session);
        // Gives memory back after a storm; amortised, since it halves at most.
        if sessions.open.capacity() > 1024 && sessions.open.len() < sessions.open.capacity() / 4 {
            let half = sessions.open.capacity() / 2;
            sessions.open.shrink_to(half);
        }
    }
}
