//! The sessions of one namespace, in Redis.

use super::{flow::Flow, scripts::Scripts, session::Session, stream::Stream};
use crate::{
    link::Failed,
    protocol::{
        cluster,
        streams::{StreamId, write_entry, write_session},
    },
};
use redis::Value;
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{
            AdapterError, Away, BoxFuture, Broadcast, Claimed, Confirmed, Local, Logged, Moved,
            Recorded, Recovery, RecoveryConfig,
        },
    },
    wire::Limits,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// The sessions of one namespace: those of the sockets of this server in memory, and all of them in Redis.
pub(crate) struct Sessions {
    pub(super) stream: Stream,
    pub(super) flow: Arc<Flow>,
    pub(super) namespace: Box<str>,
    pub(super) uid: Arc<str>,
    pub(super) local: Weak<dyn Local>,
    pub(super) config: RecoveryConfig,
    pub(super) scripts: Scripts,
    /// What the channels of single servers begin with, and the command that publishes to them.
    pub(super) main: Arc<str>,
    pub(super) publish: &'static str,
    pub(super) limits: Limits,
    pub(super) sessions: Mutex<HashMap<SocketId, Kept>>,
    /// Those that left this server, by their tokens; with these and their fences.
    pub(super) away: Mutex<Away<(Box<str>, Box<str>)>>,
    pub(super) this: Weak<Sessions>,
}

/// The session of a socket of this server, and how it is with its copy in Redis.
pub(super) struct Kept {
    pub(super) session: Session,
    /// It has changed since it was written.
    is_unsaved: bool,
    /// It is being written.
    is_saving: bool,
    /// It was written before.
    was_saved: bool,
    /// Who waits until it is written.
    waiting: Vec<oneshot::Sender<Result<(), AdapterError>>>,
}

impl Kept {
    pub(super) fn new(session: Session, was_saved: bool) -> Self {
        Self {
            session,
            is_unsaved: false,
            is_saving: false,
            was_saved,
            waiting: Vec::new(),
        }
    }
}

impl Sessions {
    pub(super) fn sessions(&self) -> MutexGuard<'_, HashMap<SocketId, Kept>> {
        self.sessions
            .lock()
            .expect("no code panics under this lock")
    }

    /// What nobody else puts beside a session. It names the server, which is told when somebody else does.
    pub(super) fn new_fence(&self) -> Box<str> {
        format!("{}:{}", self.uid, SocketId::random()).into()
    }

    /// How long a session is kept without a sign of life: the window, and what lies between two of them.
    pub(super) fn lifetime(&self, is_here: bool) -> u128 {
        let between = if is_here {
            self.between_signs()
        } else {
            Duration::ZERO
        };
        (self.config.window + between).as_millis()
    }

    /// How long sessions of sockets that are here are left alone.
    pub(super) fn between_signs(&self) -> Duration {
        self.config.window / 2
    }

    /// Follows the rooms of a socket; confirmed when Redis knows of them. Called in the order of what happens.
    pub(super) fn follow(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        let mut sessions = self.sessions();
        let Some(kept) = sessions.get_mut(socket) else {
            return Confirmed::now();
        };
        match moved {
            Moved::Joined(rooms) => kept.session.joined(rooms, self.flow.for_joining()),
            Moved::Left(rooms) => kept.session.left(rooms, self.flow.for_leaving()),
            Moved::Gone(_) => {
                // Its rooms stay as they were.
                let command = self.saving(kept, false);
                let left = sessions.remove(socket);
                drop(sessions);
                let saved = self.stream.link.send(&self.main, command).confirmed();
                if let Some(Kept { session, .. }) = left {
                    self.keep_away(session);
                }
                return saved;
            }
            _ => return Confirmed::now(),
        }
        let (tell, told) = oneshot::channel();
        kept.is_unsaved = true;
        kept.waiting.push(tell);
        drop(sessions);
        self.save(socket);
        Confirmed::when(async {
            let gone = |_| Err(AdapterError::new("the session is another server's by now"));
            told.await.unwrap_or_else(gone)
        })
    }

    /// One more client is away: too many of them are not kept.
    fn keep_away(&self, session: Session) {
        let Session { token, fence, .. } = session;
        let (key, now) = (token.clone(), Instant::now().into_std());
        let one_too_many = self.away().leave(&key, (token, fence), &self.config, now);
        if let Some((token, fence)) = one_too_many {
            // Unless it is on another server by now, which its fence tells.
            let command = self.scripts.end(&token, &fence);
            self.stream.link.send(&self.main, command);
        }
    }

    pub(super) fn away(&self) -> MutexGuard<'_, Away<(Box<str>, Box<str>)>> {
        self.away.lock().expect("no code panics under this lock")
    }

    fn saving(&self, kept: &Kept, is_here: bool) -> redis::Cmd {
        let session = &kept.session;
        let saved = session.saved(&self.namespace, &self.flow.epoch());
        let (saved, lifetime) = (write_session(&saved), self.lifetime(is_here));
        let (token, fence) = (&session.token, &session.fence);
        self.scripts
            .save(token, fence, &saved, lifetime, kept.was_saved)
    }

    /// Writes the session of a socket that is here, unless it is being written; then again once that is done.
    pub(super) fn save(&self, socket: &SocketId) {
        let mut sessions = self.sessions();
        let Some(kept) = sessions.get_mut(socket).filter(|kept| !kept.is_saving) else {
            return;
        };
        kept.is_saving = true;
        kept.is_unsaved = false;
        let waiting = std::mem::take(&mut kept.waiting);
        let command = self.saving(kept, true);
        let fence = kept.session.fence.clone();
        drop(sessions);
        let (this, socket) = (self.this.clone(), socket.clone());
        let done = move |outcome: Result<Value, Failed>| {
            let outcome = outcome.map_err(|failed| failed.error);
            for waiting in waiting {
                // Who has stopped waiting does not mind.
                let _ = waiting.send(outcome.clone().map(drop));
            }
            if let Some(this) = this.upgrade() {
                this.saved(&socket, &fence, outcome);
            }
        };
        self.stream.link.send_then(&self.main, command, done);
    }

    fn saved(&self, socket: &SocketId, fence: &str, outcome: Result<Value, AdapterError>) {
        let mut sessions = self.sessions();
        let kept = sessions.get_mut(socket);
        let Some(kept) = kept.filter(|kept| *kept.session.fence == *fence) else {
            return;
        };
        kept.is_saving = false;
        match outcome {
            Ok(Value::Int(0)) => {
                drop(sessions);
                return self.evict(socket, fence);
            }
            Ok(_) => kept.was_saved = true,
            Err(error) => {
                // It is tried again with the next sign of life, or the next change.
                tracing::debug!(%socket, %error, "a session was not written");
                for waiting in kept.waiting.drain(..) {
                    let _ = waiting.send(Err(error.clone()));
                }
                return;
            }
        }
        if kept.is_unsaved {
            drop(sessions);
            self.save(socket);
        }
    }

    /// The session of a socket of this server was claimed. Nothing happens if it is claimed back by now, which its fence tells.
    pub(super) fn evict(&self, socket: &SocketId, fence: &str) {
        let mut sessions = self.sessions();
        let kept = sessions.get(socket);
        if kept.is_none_or(|kept| *kept.session.fence != *fence) {
            return;
        }
        sessions.remove(socket);
        drop(sessions);
        if let Some(local) = self.local.upgrade() {
            local.evict(socket);
        }
    }

    /// The sockets that are here.
    pub(super) fn here(&self) -> Vec<SocketId> {
        self.sessions().keys().cloned().collect()
    }

    /// Cuts the connections of all sockets that are here, which may have missed something: their clients come back, and are told
    /// that they are new.
    pub(super) fn end_all(&self) {
        let Some(local) = self.local.upgrade() else {
            return;
        };
        for socket in self.here() {
            self.end(&socket);
            local.evict(&socket);
        }
    }

    /// The stream goes on elsewhere.
    pub(super) fn restart(&self, at: StreamId) {
        let mut sessions = self.sessions();
        let kept = sessions.values_mut();
        kept.for_each(|kept| kept.session.restart(at));
    }

    /// Writes all sessions of sockets that are here.
    pub(super) fn save_all(&self) {
        self.here().iter().for_each(|socket| self.save(socket));
    }
}

impl Recovery for Sessions {
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed {
        // It is written when the socket is in its rooms, which comes next.
        let session = Session::new(socket.clone(), token, self.new_fence());
        self.sessions()
            .insert(socket.clone(), Kept::new(session, false));
        Confirmed::now()
    }

    fn end(&self, socket: &SocketId) {
        let ended = self.sessions().remove(socket);
        if let Some(Kept { session, .. }) = ended {
            let command = self.scripts.end(&session.token, &session.fence);
            self.stream.link.send(&self.main, command);
        }
    }

    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded {
        let written = cluster::write_broadcast(to, broadcast);
        let fields = match write_entry(&self.uid, &self.namespace, written, broadcast.local) {
            Ok(fields) => fields,
            Err(error) => {
                let error = AdapterError::new(error);
                return Recorded::Later(Confirmed::when(std::future::ready(Err(error))));
            }
        };
        let (tell, told) = oneshot::channel();
        let (local, to, broadcast) = (self.local.clone(), to.clone(), broadcast.clone());
        self.stream.append(&fields, move |outcome| {
            // What never got to Redis can't come back from it. Who is here gets it all the same.
            if let Err(failed) = &outcome
                && !failed.may_have_run
                && let Some(local) = local.upgrade()
            {
                local.deliver(&to, broadcast);
            }
            // Who has stopped waiting does not mind.
            drop(tell.send(outcome));
        });
        Recorded::Later(Confirmed::when(async {
            match told.await {
                Ok(outcome) => outcome.map(drop).map_err(|failed| failed.error),
                Err(_) => Err(AdapterError::new("the adapter was closed")),
            }
        }))
    }

    fn claim(&self, token: &str, offset: &str) -> BoxFuture<Option<Claimed>> {
        let this = self.this.clone();
        let has_the_form = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let offset = offset
            .parse()
            .ok()
            .filter(|_| has_the_form && !token.is_empty());
        let token = token.to_owned();
        Box::pin(async move {
            let this = this.upgrade()?;
            match this.try_claim(&token, offset?).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::debug!(namespace = ?this.namespace, %error, "a session can't be claimed");
                    None
                }
            }
        })
    }

    fn missed(&self, claimed: &Claimed) -> BoxFuture<Result<Vec<Logged>, AdapterError>> {
        let (this, claimed) = (self.this.clone(), claimed.clone());
        Box::pin(async move {
            let closed = || AdapterError::new("the namespace is gone");
            this.upgrade()
                .ok_or_else(closed)?
                .try_missed(&claimed)
                .await
        })
    }
}
