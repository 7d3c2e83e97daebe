//! The sessions of one namespace behind a lock, with the time.

use super::session::Sessions;
use crate::{
    rooms::{
        AdapterError, RecoveryConfig, Selection, SocketId,
        adapter::{
            BoxFuture, Broadcast, Claimed, Confirmed, Local, Logged, Moved, Recorded, Recovery,
        },
    },
    sync::{Mutex, MutexGuard},
    token,
};
use std::{future::ready, sync::Weak, time::Instant};

/// What one namespace of a server that is alone keeps for clients that come back.
pub(super) struct Store {
    local: Weak<dyn Local>,
    sessions: Mutex<Sessions>,
}

impl Store {
    pub(super) fn new(config: RecoveryConfig, local: Weak<dyn Local>) -> Self {
        let token = token::random();
        // As short as will do, since it travels with every broadcast: no two logs of one server should have the same.
        let epoch = str::from_utf8(&token[..8]).expect("base64url is ASCII");
        Self {
            local,
            sessions: Mutex::new(Sessions::new(config, epoch)),
        }
    }

    pub(super) fn moved(&self, socket: &SocketId, moved: Moved<'_>) {
        let mut sessions = self.sessions();
        match moved {
            Moved::Joined(rooms) => sessions.joined(socket, rooms),
            Moved::Left(rooms) => sessions.left(socket, rooms),
            Moved::Gone(_) => sessions.gone(socket, now()),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions
            .lock()
            .expect("no code panics under this lock")
    }
}

impl Recovery for Store {
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed {
        self.sessions().begin(socket, token);
        Confirmed::now()
    }

    fn end(&self, socket: &SocketId) {
        self.sessions().end(socket);
    }

    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded {
        Recorded::Now(self.sessions().record(to, broadcast, now()))
    }

    fn claim(&self, token: &str, offset: &str) -> BoxFuture<Option<Claimed>> {
        // Whoever has the session goes first. Told to do so outside the lock, since it tells us when it is gone.
        let holder = self.sessions().holder(token);
        if let Some(holder) = holder
            && let Some(local) = self.local.upgrade()
        {
            local.evict(&holder);
        }
        let claimed = self.sessions().claim(token, offset, now());
        Box::pin(ready(claimed))
    }

    fn missed(&self, claimed: &Claimed) -> BoxFuture<Result<Vec<Logged>, AdapterError>> {
        let missed = self.sessions().missed(claimed);
        let missed = missed.ok_or_else(|| AdapterError::new("what the client missed is forgotten"));
        Box::pin(ready(missed))
    }
}

/// The runtime's time, which tests may stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
