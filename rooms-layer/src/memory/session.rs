//! Who may come back, and where they were when. Pure: the time is an argument.

use super::log::{Log, Position};
use crate::rooms::{
    RecoveryConfig, Selection, SocketId,
    adapter::{Broadcast, Claimed, Logged},
};
use hashbrown::HashMap;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

/// How many rooms that a socket has left are remembered. Who has left more since its last offset is a new client when it comes
/// back, rather than one that may have missed something.
const REMEMBERED_STAYS: usize = 64;

/// The sessions of one namespace, and the log that they read.
pub(super) struct Sessions {
    log: Log,
    config: RecoveryConfig,
    sessions: HashMap<SocketId, Session, foldhash::fast::RandomState>,
    /// The standard library's hasher: how long a look at this map takes says nothing of the secrets in it.
    by_token: std::collections::HashMap<Box<str>, SocketId>,
    /// Those whose clients are away, in the order in which they went.
    away: BTreeMap<Away, SocketId>,
    departures: u64,
}

/// When a client went, and a number that tells it from those that went in the same moment.
type Away = (Instant, u64);

struct Session {
    token: Box<str>,
    /// What came after this concerns it.
    begun: Position,
    /// It can't be known what a client has missed that has seen less.
    known_since: Position,
    /// The rooms that it is in, and since when.
    rooms: HashMap<Arc<str>, Position, foldhash::fast::RandomState>,
    /// Those that it has left and where something was broadcast meanwhile, in the order of leaving.
    left: VecDeque<Stay>,
    away: Option<Away>,
}

/// That the socket was in a room, for all that came after `from` up to `to`.
struct Stay {
    room: Arc<str>,
    from: Position,
    to: Position,
}

impl Sessions {
    pub(super) fn new(config: RecoveryConfig, epoch: &str) -> Self {
        Self {
            log: Log::new(config.clone(), epoch),
            config,
            sessions: HashMap::default(),
            by_token: std::collections::HashMap::new(),
            away: BTreeMap::new(),
            departures: 0,
        }
    }

    pub(super) fn begin(&mut self, socket: &SocketId, token: &str) {
        let session = Session {
            token: token.into(),
            begun: self.log.last(),
            known_since: 0,
            rooms: HashMap::default(),
            left: VecDeque::new(),
            away: None,
        };
        self.by_token.insert(token.into(), socket.clone());
        self.sessions.insert(socket.clone(), session);
    }

    pub(super) fn end(&mut self, socket: &SocketId) {
        let Some(session) = self.sessions.remove(socket) else {
            return;
        };
        self.by_token.remove(&session.token);
        if let Some(away) = session.away {
            self.away.remove(&away);
        }
        let left = session.left.into_iter().map(|stay| stay.room);
        for room in session.rooms.into_keys().chain(left) {
            self.log.unfollow(room);
        }
    }

    pub(super) fn joined(&mut self, socket: &SocketId, rooms: &[Box<str>]) {
        let Some(session) = self.sessions.get_mut(socket) else {
            return;
        };
        // It is back, if it was away: in the rooms that it never left.
        if let Some(away) = session.away.take() {
            self.away.remove(&away);
        }
        for room in rooms {
            if !session.rooms.contains_key(&**room) {
                let room = self.log.follow(room);
                session.rooms.insert(room, self.log.last());
            }
        }
    }

    pub(super) fn left(&mut self, socket: &SocketId, rooms: &[Box<str>]) {
        let Some(session) = self.sessions.get_mut(socket) else {
            return;
        };
        let to = self.log.last();
        for room in rooms {
            match session.rooms.remove_entry(&**room) {
                Some((room, from)) if from < to => session.left.push_back(Stay { room, from, to }),
                Some((room, _)) => self.log.unfollow(room),
                None => {}
            }
        }
        while session.left.len() > REMEMBERED_STAYS
            && let Some(stay) = session.left.pop_front()
        {
            session.known_since = stay.to;
            self.log.unfollow(stay.room);
        }
    }

    /// A socket is gone; its rooms stay as they were.
    pub(super) fn gone(&mut self, socket: &SocketId, now: Instant) {
        let Some(session) = self.sessions.get_mut(socket) else {
            return;
        };
        self.departures += 1;
        let away = (now, self.departures);
        if let Some(before) = session.away.replace(away) {
            self.away.remove(&before);
        }
        self.away.insert(away, socket.clone());
        self.expire(now);
    }

    pub(super) fn record(
        &mut self,
        to: &Selection,
        broadcast: &Broadcast,
        now: Instant,
    ) -> Box<str> {
        let offset = self.log.record(to, broadcast, now);
        self.expire(now);
        offset
    }

    /// The socket that has the session with this token, unless it is away.
    pub(super) fn holder(&self, token: &str) -> Option<SocketId> {
        let socket = self.by_token.get(token)?;
        let session = self.sessions.get(socket)?;
        session.away.is_none().then(|| socket.clone())
    }

    pub(super) fn claim(&mut self, token: &str, offset: &str, now: Instant) -> Option<Claimed> {
        self.log.expire(now);
        self.expire(now);
        let socket = self.by_token.get(token)?;
        let session = self.sessions.get(socket)?;
        let seen = self.log.position(offset)?;
        session.is_whole_since(seen, &self.log).then(|| {
            let rooms = session.rooms.keys().map(|room| (**room).into());
            Claimed::new(socket.clone(), rooms.collect(), offset)
        })
    }

    pub(super) fn missed(&mut self, claimed: &Claimed) -> Option<Vec<Logged>> {
        let session = self.sessions.get(&claimed.socket)?;
        let seen = self.log.position(&claimed.offset)?;
        session.is_whole_since(seen, &self.log).then(|| {
            let concerns = |to: &Selection, at| session.is_meant(to, at);
            self.log.after(seen, concerns)
        })
    }

    /// Ends the sessions of those who stay away for too long, or are too many.
    fn expire(&mut self, now: Instant) {
        while let Some((&(since, _), socket)) = self.away.first_key_value()
            && (self.away.len() > self.config.max_sessions
                || now.saturating_duration_since(since) > self.config.window)
        {
            let socket = socket.clone();
            self.end(&socket);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    #[cfg(test)]
    pub(super) fn log(&self) -> &Log {
        &self.log
    }
}

impl Session {
    /// Whether a selection meant its socket.
    fn is_meant(&self, to: &Selection, at: Position) -> bool {
        let was_in = |room: &str| {
            self.rooms.get(room).is_some_and(|&from| from < at)
                || self
                    .left
                    .iter()
                    .any(|stay| *stay.room == *room && stay.from < at && at <= stay.to)
        };
        let meant = match &to.rooms {
            Some(rooms) => rooms.iter().any(|room| was_in(room)),
            None => self.begun < at,
        };
        meant && !to.except.iter().any(|room| was_in(room))
    }

    /// Whether nothing is forgotten that came after a position and may have meant its socket.
    fn is_whole_since(&self, seen: Position, log: &Log) -> bool {
        let whole = |room: &str, from: Position| log.forgotten_in(room) <= from.max(seen);
        let mut rooms = self.rooms.iter();
        let mut left = self.left.iter().filter(|stay| stay.to > seen);
        seen >= self.known_since
            && log.forgotten() <= self.begun.max(seen)
            && rooms.all(|(room, &from)| whole(room, from))
            && left.all(|stay| whole(&stay.room, stay.from))
    }
}
