//! The sessions of this server's sockets, and their copies in JetStream.

use super::session::{Session, now};
use crate::{JetStreamConfig, cluster::Cluster, outbox::Shared};
use async_nats::{
    datetime::DateTime,
    jetstream::{
        Context,
        kv::{Operation, Store, UpdateErrorKind},
        stream::{Config, DiscardPolicy},
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use rooms_layer::{
    SocketId,
    rooms::adapter::{Away, Moved, RecoveryConfig},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, interval, sleep},
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How many sessions are written at once.
const AT_ONCE: usize = 64;
/// How long to wait before a session that could not be written is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// The sessions that this server has.
pub(crate) struct Sessions {
    store: Store,
    held: Mutex<HashMap<SocketId, Held>>,
    /// Those that left this server, of each namespace, with their sockets and how they were held.
    away: Mutex<AwayFrom>,
    changed: Notify,
}

/// By namespaces.
type AwayFrom = HashMap<Arc<str>, Away<(SocketId, Held)>>;

/// What the sessions of a namespace have in common.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) namespace: Arc<str>,
    pub(super) config: RecoveryConfig,
}

/// One session.
#[derive(Clone)]
struct Held {
    place: Place,
    key: Box<str>,
    /// That of its entry; 0 before it has one.
    revision: u64,
    /// The entry is not what it should be.
    is_stale: bool,
    is_being_written: bool,
    state: State,
}

#[derive(Clone)]
enum State {
    /// Its rooms are asked for when they are needed.
    Here,
    Gone {
        at: Duration,
        rooms: Vec<Box<str>>,
    },
    Ended,
}

/// A session that this server has claimed.
pub(super) struct Claim {
    pub(super) session: Session,
    pub(super) key: Box<str>,
    pub(super) revision: u64,
    /// Which server had it.
    pub(super) from: Box<str>,
}

/// What came of writing one.
enum Written {
    Now(u64),
    /// Another server has it by now.
    Lost,
    Failed(String),
}

/// Makes the bucket if it is not there.
///
/// By hand: the client asks for the account first, and does not understand what NATS 2.9 answers.
pub(crate) async fn open(
    context: &Context,
    shared: &Shared,
    config: &JetStreamConfig,
) -> Result<Store, Error> {
    let bucket = shared.subjects().store("sessions");
    let stream = Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        max_age: config.keep,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        // Whoever claims a session has to see the last claim: only the leader knows it.
        allow_direct: false,
        storage: config.storage(),
        num_replicas: config.replicas,
        ..Config::default()
    };
    context.get_or_create_stream(stream).await?;
    Ok(context.get_key_value(bucket).await?)
}

impl Sessions {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            held: Mutex::default(),
            away: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// A socket of this server may come back. It is written when the socket is in its first room.
    pub(super) fn begin(&self, place: Place, socket: &SocketId, key: Box<str>) {
        self.hold(place, socket, key, 0);
    }

    /// A socket of this server is the one that came back.
    pub(super) fn take_over(&self, place: Place, socket: &SocketId, key: Box<str>, revision: u64) {
        if let Some(away) = self.away().get_mut(&place.namespace) {
            away.come_back(&key);
        }
        self.hold(place, socket, key, revision);
    }

    fn hold(&self, place: Place, socket: &SocketId, key: Box<str>, revision: u64) {
        let held = Held {
            place,
            key,
            revision,
            is_stale: false,
            is_being_written: false,
            state: State::Here,
        };
        self.held().insert(socket.clone(), held);
    }

    /// A socket of this server will not come back.
    pub(super) fn end(&self, socket: &SocketId) {
        self.change(socket, |held| held.state = State::Ended);
    }

    /// The rooms of a socket have changed.
    pub(crate) fn moved(&self, socket: &SocketId, moved: Moved<'_>) {
        self.change(socket, |held| {
            if let (State::Here, Moved::Gone(rooms)) = (&held.state, moved) {
                let rooms = without_own(rooms.iter().map(|room| &**room), socket);
                held.state = State::Gone { at: now(), rooms };
            }
        });
    }

    fn change(&self, socket: &SocketId, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.held().get_mut(socket) {
            change(held);
            held.is_stale = true;
            self.changed.notify_one();
        }
    }

    /// Another server says that it has claimed a session of ours; whether that is so.
    pub(crate) fn evicted(&self, socket: &SocketId, revision: u64) -> bool {
        let mut all = self.held();
        let is_so = all.get(socket).is_some_and(|held| held.revision < revision);
        if is_so {
            all.remove(socket);
        }
        is_so
    }

    /// Gives a session to this server. `None` if there is none, or it is too old, or others are quicker.
    pub(super) async fn claim(
        &self,
        namespace: &str,
        key: Box<str>,
        window: Duration,
        own: &str,
    ) -> Option<Claim> {
        for _ in 0..3 {
            let entry = self.store.entry(&*key).await.ok()??;
            if entry.operation != Operation::Put {
                return None;
            }
            let mut session = Session::read(&entry.value).ok()?;
            if *session.namespace != *namespace {
                return None;
            }
            let from = std::mem::replace(&mut session.owner, own.into());
            let left = session.gone.take().map(|_| entry.created);
            let updated = self
                .store
                .update(&*key, session.write(), entry.revision)
                .await;
            if let Ok(revision) = updated {
                if let Some(left) = left
                    && !self.is_open(&key, left, window).await?
                {
                    // Nobody can have it any more.
                    let erased = self.store.purge_expect_revision(&*key, Some(revision));
                    erased.await.ok();
                    return None;
                }
                // Its former socket, where it was on this server, has nothing to write any more.
                self.held().remove(&session.socket);
                return Some(Claim {
                    session,
                    key,
                    revision,
                    from,
                });
            }
        }
        None
    }

    /// Whether the window has not passed since an entry was written, when the client left. Now another one is written, by which
    /// NATS tells the time: the clocks of servers may be wrong. `None` where it can't be known.
    async fn is_open(&self, key: &str, left: DateTime, window: Duration) -> Option<bool> {
        let now = self.store.entry(key).await.ok()??.created;
        let away = now.unix_timestamp_nanos() - left.unix_timestamp_nanos();
        Some(away <= window.as_nanos() as i128)
    }

    /// Writes what changes, for as long as the server is there. Every session is written anew after `refresh`, since JetStream
    /// forgets what is old.
    pub(crate) async fn keep(
        self: Arc<Self>,
        cluster: Arc<Cluster>,
        own: Box<str>,
        refresh: Duration,
    ) {
        let mut refreshing = interval(refresh);
        refreshing.tick().await;
        let mut writing = FuturesUnordered::new();
        loop {
            for (socket, held) in self.stale(AT_ONCE - writing.len()) {
                writing.push(async {
                    let (socket, written) = self.write(&cluster, &own, socket, held).await;
                    if let Written::Failed(_) = written {
                        sleep(PAUSE).await;
                    }
                    (socket, written)
                });
            }
            tokio::select! {
                Some((socket, written)) = writing.next() => self.note(&cluster, &socket, written),
                () = self.changed.notified() => {}
                _ = refreshing.tick() => self.held().values_mut().for_each(|held| held.is_stale = true),
            }
        }
    }

    /// Takes some that are to be written.
    fn stale(&self, most: usize) -> Vec<(SocketId, Held)> {
        let mut all = self.held();
        let stale = all
            .iter_mut()
            .filter(|(_, held)| held.is_stale && !held.is_being_written);
        let taken = stale.take(most).map(|(socket, held)| {
            (held.is_stale, held.is_being_written) = (false, true);
            (socket.clone(), held.clone())
        });
        taken.collect()
    }

    async fn write(
        &self,
        cluster: &Cluster,
        own: &str,
        socket: SocketId,
        held: Held,
    ) -> (SocketId, Written) {
        let (gone, rooms) = match held.state {
            State::Ended => return (socket, self.erase(own, &held).await),
            State::Gone { at, rooms } => (Some(at), rooms),
            State::Here => {
                let local = cluster.local(&held.place.namespace);
                match local.and_then(|local| local.rooms_of(&socket)) {
                    Some(rooms) => (None, without_own(rooms.iter().map(String::as_str), &socket)),
                    // It is on its way in, and says so when it is.
                    None => return (socket, Written::Now(held.revision)),
                }
            }
        };
        let session = Session {
            namespace: (*held.place.namespace).into(),
            socket: socket.clone(),
            owner: own.into(),
            gone,
            rooms,
        };
        let mut revision = held.revision;
        for _ in 0..2 {
            match self
                .store
                .update(&*held.key, session.write(), revision)
                .await
            {
                Ok(revision) => return (socket, Written::Now(revision)),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return (socket, Written::Failed(error.to_string())),
            }
            // Another server has claimed it, or an earlier write of ours was done without our knowing.
            match self.store.entry(&*held.key).await {
                Ok(Some(entry)) => match Session::read(&entry.value) {
                    Ok(found) if *found.owner == *own => revision = entry.revision,
                    _ => return (socket, Written::Lost),
                },
                Ok(None) => revision = 0,
                Err(error) => return (socket, Written::Failed(error.to_string())),
            }
        }
        (
            socket,
            Written::Failed("it changes all the time".to_owned()),
        )
    }

    /// Erases a session, unless another server has it by now.
    async fn erase(&self, own: &str, held: &Held) -> Written {
        let mut revision = held.revision;
        for _ in 0..2 {
            if revision == 0 {
                return Written::Now(0);
            }
            let erased = self
                .store
                .purge_expect_revision(&*held.key, Some(revision))
                .await;
            if erased.is_ok() {
                return Written::Now(0);
            }
            // An earlier write of ours may have been done without our knowing.
            match self.store.entry(&*held.key).await {
                Ok(Some(entry)) => match Session::read(&entry.value) {
                    Ok(found) if *found.owner == *own => revision = entry.revision,
                    _ => return Written::Now(0),
                },
                Ok(None) => return Written::Now(0),
                Err(error) => return Written::Failed(error.to_string()),
            }
        }
        Written::Failed("it changes all the time".to_owned())
    }

    /// Notes what came of writing a session.
    fn note(&self, cluster: &Cluster, socket: &SocketId, written: Written) {
        let mut all = self.held();
        let Some(held) = all.get_mut(socket) else {
            return;
        };
        held.is_being_written = false;
        match written {
            Written::Now(revision) => {
                held.revision = revision.max(held.revision);
                if held.is_stale || matches!(held.state, State::Here) {
                    return;
                }
                let left = all.remove(socket);
                if let Some(left) = left.filter(|left| matches!(left.state, State::Gone { .. })) {
                    self.keep_away(&mut all, socket, left);
                }
            }
            Written::Lost => {
                let namespace = held.place.namespace.clone();
                all.remove(socket);
                drop(all);
                if let Some(local) = cluster.local(&namespace) {
                    local.evict(socket);
                }
            }
            Written::Failed(error) => {
                tracing::debug!(error, "a session is not stored, and will be");
                held.is_stale = true;
            }
        }
    }

    /// One more client is away, as JetStream knows by now: too many of them are not kept.
    fn keep_away(&self, held: &mut HashMap<SocketId, Held>, socket: &SocketId, left: Held) {
        let (place, key) = (left.place.clone(), left.key.clone());
        let mut away = self.away();
        let away = away.entry(place.namespace).or_default();
        let left = (socket.clone(), left);
        let one_too_many = away.leave(&key, left, &place.config, Instant::now().into_std());
        if let Some((socket, ended)) = one_too_many {
            // Erased like any other that has ended, unless another server has it by now.
            held.entry(socket).or_insert(Held {
                is_stale: true,
                state: State::Ended,
                ..ended
            });
            self.changed.notify_one();
        }
    }

    fn away(&self) -> MutexGuard<'_, AwayFrom> {
        self.away.lock().expect("no code panics under this lock")
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SocketId, Held>> {
        self.held.lock().expect("no code panics under this lock")
    }
}

fn without_own<'a>(rooms: impl Iterator<Item = &'a str>, socket: &SocketId) -> Vec<Box<str>> {
    rooms
        .filter(|room| *room != socket.as_str())
        .map(Into::into)
        .collect()
}
