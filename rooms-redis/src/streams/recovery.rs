//! The sessions of one namespace, in Redis.

use super::{flow::Flow, scripts::Scripts, session::Session, stream::Stream};
use crate::{
    link::Failed,
    message::Message,
    protocol::{
        cluster,
        streams::{StreamId, read_entry, read_session, write_entry, write_session},
    },
};
use redis::Value;
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{
            AdapterError, BoxFuture, Broadcast, Claimed, Confirmed, Local, Logged, Moved, Recorded,
            Recovery, RecoveryConfig,
        },
    },
    wire::Limits,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};
use tokio::sync::oneshot;

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
    pub(super) this: Weak<Sessions>,
}

/// The session of a socket of this server, and how it is with its copy in Redis.
pub(super) struct Kept {
    session: Session,
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
    fn new(session: Session, was_saved: bool) -> Self {
        Self {
            session,
            is_unsaved: false,
            is_saving: false,
            was_saved,
            waiting: Vec::new(),
        }
    }
}

/// How long this server may lag behind what a client has seen on another one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many entries are read at once for a client that comes back.
const PAGE: usize = 1_000;

impl Sessions {
    fn sessions(&self) -> MutexGuard<'_, HashMap<SocketId, Kept>> {
        self.sessions
            .lock()
            .expect("no code panics under this lock")
    }

    /// How long a session is kept without a sign of life: the window, and what lies between two of them.
    fn lifetime(&self, is_here: bool) -> u128 {
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
                sessions.remove(socket);
                drop(sessions);
                return self.stream.link.send(&self.main, command).confirmed();
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

    fn saving(&self, kept: &Kept, is_here: bool) -> redis::Cmd {
        let session = &kept.session;
        let saved = session.saved(&self.namespace, &self.uid, &self.flow.epoch());
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
                return self.evict(socket);
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

    /// The session of a socket of this server was claimed by another one.
    pub(super) fn evict(&self, socket: &SocketId) {
        if self.sessions().remove(socket).is_some()
            && let Some(local) = self.local.upgrade()
        {
            local.evict(socket);
        }
    }

    /// The sockets that are here.
    pub(super) fn here(&self) -> Vec<SocketId> {
        self.sessions().keys().cloned().collect()
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

    async fn try_claim(
        &self,
        token: &str,
        offset: StreamId,
    ) -> Result<Option<Claimed>, AdapterError> {
        // What is gone from the stream may have been followed by something that is gone too.
        let at_offset = self.stream.range(offset, Some(offset), 1).await?;
        let read = at_offset
            .first()
            .map(|entry| read_entry(entry.fields(), &self.limits));
        let Some(Ok(Some(entry))) = read else {
            return Ok(None);
        };
        if entry.envelope.namespace.as_deref() != Some(&*self.namespace) {
            return Ok(None);
        }
        let fence = SocketId::random();
        let claim = self
            .scripts
            .claim(token, fence.as_str(), self.lifetime(true));
        let Value::BulkString(saved) = self.stream.link.send(&self.main, claim).value().await?
        else {
            return Ok(None);
        };
        let saved = read_session(&saved, &self.limits).map_err(AdapterError::new)?;
        let is_ours = saved
            .nsp
            .as_deref()
            .is_none_or(|namespace| *namespace == *self.namespace);
        let epoch = self.stream.epoch(&self.flow.epoch()).await?;
        let is_now = saved.epoch.as_deref().is_none_or(|saved| *saved == *epoch);
        let server = saved.server.clone();
        let Some(mut session) = Session::restore(saved).filter(|_| is_ours && is_now) else {
            return Ok(None);
        };
        // What this server knows of its own socket is newer than what it has written.
        let here = self.sessions().remove(&session.socket);
        match here {
            Some(here) => {
                session = here.session;
                if let Some(local) = self.local.upgrade() {
                    local.evict(&session.socket);
                }
            }
            None => self.tell_to_evict(server.as_deref(), &session.socket),
        }
        if !session.is_known(offset) {
            return Ok(None);
        }
        // Otherwise what the client has seen already would reach it again from here.
        self.flow.reached(offset, PATIENCE).await?;
        session.fence = fence.as_str().into();
        let claimed = Claimed::new(session.socket.clone(), session.rooms(), offset.to_string());
        let socket = session.socket.clone();
        self.sessions().insert(socket, Kept::new(session, true));
        Ok(Some(claimed))
    }

    fn tell_to_evict(&self, server: Option<&str>, socket: &SocketId) {
        let Some(server) = server.filter(|server| **server != *self.uid) else {
            return;
        };
        let evict = Message::Evict {
            socket: socket.clone(),
        };
        let channel: Arc<str> = format!("{}{server}#", self.main).into();
        let payload = cluster::write(&evict).into_msgpack(&self.uid, &self.namespace);
        let payload = payload.expect("an id is shorter than 4 GiB");
        let command = redis::cmd(self.publish).arg(&*channel).arg(payload).take();
        self.stream.link.send(&channel, command);
    }

    async fn try_missed(&self, claimed: &Claimed) -> Result<Vec<Logged>, AdapterError> {
        let gone = || AdapterError::new("the session is gone");
        let session = self
            .sessions()
            .get(&claimed.socket)
            .map(|kept| kept.session.clone());
        let session = session.ok_or_else(gone)?;
        let mut last: StreamId = claimed.offset.parse().map_err(AdapterError::new)?;
        let (mut missed, mut bytes, mut read) = (Vec::new(), 0, 0);
        while let Some(first) = last.next() {
            let page = self.stream.range(first, None, PAGE).await?;
            let Some(entry) = page.last() else {
                break;
            };
            last = entry.id;
            read += page.len();
            if read > self.config.max_packets {
                return Err(AdapterError::new(
                    "more was broadcast than is kept for a client",
                ));
            }
            for entry in &page {
                let Ok(Some(of)) = read_entry(entry.fields(), &self.limits) else {
                    continue;
                };
                let is_here = of.envelope.namespace.as_deref() == Some(&*self.namespace);
                if let Message::Broadcast { to, broadcast } = of.envelope.message
                    && is_here
                    && !broadcast.volatile
                    && session.concerns(&to, entry.id)
                {
                    bytes += broadcast.data.json().len();
                    bytes += broadcast
                        .data
                        .attachments()
                        .iter()
                        .map(|part| part.len())
                        .sum::<usize>();
                    missed.push(Logged::new(broadcast.at(entry.id.to_string())));
                }
            }
            if bytes > self.config.max_bytes {
                return Err(AdapterError::new(
                    "a client has missed more bytes than are kept for it",
                ));
            }
            if page.len() < PAGE {
                break;
            }
        }
        // All of it was held back by now, so that nothing of it comes again.
        self.flow.reached(last, PATIENCE).await?;
        Ok(missed)
    }
}

impl Recovery for Sessions {
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed {
        // It is written when the socket is in its rooms, which comes next.
        let session = Session::new(socket.clone(), token);
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
