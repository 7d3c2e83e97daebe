//! The sessions of one namespace, in Redis.

use super::{flow::Flow, session::Session, stream::Stream};
use crate::{
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
    pub(super) key_prefix: String,
    /// What the channels of single servers begin with, and the command that publishes to them.
    pub(super) main: Arc<str>,
    pub(super) publish: &'static str,
    pub(super) limits: Limits,
    pub(super) sessions: Mutex<HashMap<SocketId, Session>>,
    pub(super) this: Weak<Sessions>,
}

/// Writes a session, unless it was claimed by somebody else: then the fence is another's, or the session is gone while the fence
/// is there, as after a claim of one of Node's servers. Where neither is there, both have expired.
const SAVE: &str = "
local fence = redis.call('GET', KEYS[2])
if fence and (fence ~= ARGV[1] or (ARGV[4] == '1' and redis.call('EXISTS', KEYS[1]) == 0)) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 1";

/// Takes a session from whoever has it. It stays, so that it can be claimed again.
const CLAIM: &str = "
local session = redis.call('GET', KEYS[1])
if not session then return false end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return session";

/// Deletes a session, unless it was claimed by somebody else.
const END: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])";

/// How long this server may lag behind what a client has seen on another one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many entries are read at once for a client that comes back.
const PAGE: usize = 1_000;

impl Sessions {
    fn sessions(&self) -> MutexGuard<'_, HashMap<SocketId, Session>> {
        self.sessions
            .lock()
            .expect("no code panics under this lock")
    }

    /// A script about one session. Its two keys are in one slot of a Cluster: the braces name what is hashed.
    fn script(&self, script: &str, token: &str, fence: &str) -> redis::Cmd {
        let key = format!("{}{token}", self.key_prefix);
        let fence_key = format!("{{{key}}}:fence");
        let mut command = redis::cmd("EVAL");
        command
            .arg(script)
            .arg(2)
            .arg(key)
            .arg(fence_key)
            .arg(fence);
        command.take()
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

    /// Follows the rooms of a socket. Called in the order of what happens.
    pub(super) fn follow(&self, socket: &SocketId, moved: Moved<'_>) {
        let mut sessions = self.sessions();
        let Some(session) = sessions.get_mut(socket) else {
            return;
        };
        match moved {
            Moved::Joined(rooms) => session.joined(rooms, self.flow.for_joining()),
            Moved::Left(rooms) => session.left(rooms, self.flow.for_leaving()),
            Moved::Gone(_) => {
                // Its rooms stay as they were.
                let session = sessions.remove(socket).expect("it was found");
                let command = self.saving(&session, false);
                drop(sessions);
                self.stream.link.send(&self.main, command);
                return;
            }
            _ => return,
        }
        session.is_unsaved = true;
        drop(sessions);
        self.save(socket);
    }

    fn saving(&self, session: &Session, is_here: bool) -> redis::Cmd {
        let saved = session.saved(&self.namespace, &self.uid, &self.flow.epoch());
        let mut command = self.script(SAVE, &session.token, &session.fence);
        command.arg(write_session(&saved));
        command.arg(self.lifetime(is_here).to_string());
        command
            .arg(if session.was_saved { "1" } else { "0" })
            .take()
    }

    /// Writes the session of a socket that is here, unless it is being written; then again once that is done.
    pub(super) fn save(&self, socket: &SocketId) {
        let mut sessions = self.sessions();
        let Some(session) = sessions.get_mut(socket) else {
            return;
        };
        if session.is_saving {
            return;
        }
        session.is_saving = true;
        session.is_unsaved = false;
        let command = self.saving(session, true);
        let fence = session.fence.clone();
        drop(sessions);
        let (this, socket) = (self.this.clone(), socket.clone());
        self.stream
            .link
            .send_then(&self.main, command, move |outcome| {
                if let Some(this) = this.upgrade() {
                    this.saved(&socket, &fence, outcome.map_err(|failed| failed.error));
                }
            });
    }

    fn saved(&self, socket: &SocketId, fence: &str, outcome: Result<Value, AdapterError>) {
        let mut sessions = self.sessions();
        let Some(session) = sessions
            .get_mut(socket)
            .filter(|session| *session.fence == *fence)
        else {
            return;
        };
        session.is_saving = false;
        match outcome {
            Ok(Value::Int(0)) => {
                drop(sessions);
                return self.evict(socket);
            }
            Ok(_) => session.was_saved = true,
            // Written with the next sign of life.
            Err(error) => tracing::debug!(%socket, %error, "a session was not written"),
        }
        if session.is_unsaved {
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
        sessions
            .values_mut()
            .for_each(|session| session.restart(at));
        drop(sessions);
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
        let mut claim = self.script(CLAIM, token, fence.as_str());
        claim.arg(self.lifetime(true).to_string());
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
                session = here;
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
        session.was_saved = true;
        session.is_saving = false;
        let claimed = Claimed::new(session.socket.clone(), session.rooms(), offset.to_string());
        self.sessions().insert(session.socket.clone(), session);
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
            .cloned()
            .ok_or_else(gone)?;
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
        self.sessions().insert(socket.clone(), session);
        Confirmed::now()
    }

    fn end(&self, socket: &SocketId) {
        let ended = self.sessions().remove(socket);
        if let Some(session) = ended {
            let command = self.script(END, &session.token, &session.fence);
            self.stream.link.send(&self.main, command);
        }
    }

    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded {
        let written = cluster::write_broadcast(to, broadcast);
        let fields = match write_entry(&self.uid, &self.namespace, written, false) {
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
