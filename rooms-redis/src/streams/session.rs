//! Who may come back, and where they were when. Pure.

use crate::protocol::{
    parts::Names,
    streams::{SavedSession, SavedStay, StreamId},
};
use rooms_layer::{SocketId, rooms::Selection};
use std::collections::{HashMap, VecDeque};

/// How many rooms that a socket has left are remembered. Who has left more since its last offset is a new client when it comes
/// back, rather than one that may have missed something.
const REMEMBERED_STAYS: usize = 64;

/// The session of one socket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    pub(crate) socket: SocketId,
    pub(crate) token: Box<str>,
    /// Proves that the session is this server's. Whoever claims it puts another one in its place.
    pub(crate) fence: Box<str>,
    /// It can't be known what a client has missed that has seen less.
    known_since: StreamId,
    /// The rooms that it is in, and behind which entry it entered.
    rooms: HashMap<Box<str>, StreamId>,
    /// Those that it has left, in the order of leaving.
    left: VecDeque<Stay>,
}

/// That the socket was in a room, for all that came behind `from` up to `to`.
#[derive(Debug, Clone, PartialEq)]
struct Stay {
    room: Box<str>,
    from: StreamId,
    to: StreamId,
}

impl Session {
    pub(crate) fn new(socket: SocketId, token: &str, fence: Box<str>) -> Self {
        Self {
            socket,
            token: token.into(),
            fence,
            known_since: StreamId::ZERO,
            rooms: HashMap::new(),
            left: VecDeque::new(),
        }
    }

    pub(crate) fn joined(&mut self, rooms: &[Box<str>], at: StreamId) {
        for room in rooms {
            self.rooms.entry(room.clone()).or_insert(at);
        }
    }

    pub(crate) fn left(&mut self, rooms: &[Box<str>], at: StreamId) {
        for room in rooms {
            if let Some((room, from)) = self.rooms.remove_entry(room)
                && from < at
            {
                self.left.push_back(Stay { room, from, to: at });
            }
        }
        while self.left.len() > REMEMBERED_STAYS
            && let Some(stay) = self.left.pop_front()
        {
            self.known_since = self.known_since.max(stay.to);
        }
    }

    /// The stream goes on elsewhere: nothing is known of what came before.
    pub(crate) fn restart(&mut self, at: StreamId) {
        self.known_since = at;
        self.rooms.values_mut().for_each(|since| *since = at);
        self.left.clear();
    }

    /// Whether all can be told that a client has missed which has seen everything up to `offset`.
    pub(crate) fn is_known(&self, offset: StreamId) -> bool {
        offset >= self.known_since
    }

    /// Whether the socket was a recipient of what was broadcast at this place.
    pub(crate) fn concerns(&self, to: &Selection, id: StreamId) -> bool {
        let was_in = |room: &str| {
            let is_in = self.rooms.get(room).is_some_and(|since| id > *since);
            let mut left = self.left.iter();
            is_in || left.any(|stay| *stay.room == *room && id > stay.from && id <= stay.to)
        };
        let is_meant = match &to.rooms {
            Some(rooms) => rooms.iter().any(|room| was_in(room)),
            // Its own room is that of everybody who is here.
            None => was_in(self.socket.as_str()),
        };
        is_meant && !to.except.iter().any(|room| was_in(room))
    }

    /// The rooms it is in, but for its own.
    pub(crate) fn rooms(&self) -> Vec<Box<str>> {
        let rooms = self.rooms.keys();
        let rooms = rooms.filter(|room| ***room != *self.socket.as_str());
        rooms.cloned().collect()
    }

    /// The form in which it lies in Redis.
    pub(crate) fn saved(&self, namespace: &str, epoch: &str) -> SavedSession {
        let text = |id: StreamId| id.to_string().into_boxed_str();
        let since = self.rooms.iter();
        let left = self.left.iter().map(|stay| SavedStay {
            room: stay.room.clone(),
            from: text(stay.from),
            to: text(stay.to),
        });
        SavedSession {
            sid: self.socket.as_str().into(),
            pid: self.token.clone(),
            rooms: Names(self.rooms.keys().cloned().collect()),
            // What a socket carries is made anew when it comes back.
            data: serde_json::value::RawValue::from_string("{}".to_owned()).ok(),
            nsp: Some(namespace.into()),
            epoch: Some(epoch.into()),
            known_since: Some(text(self.known_since)),
            since: since.map(|(room, id)| (room.clone(), text(*id))).collect(),
            left: left.collect(),
        }
    }

    /// Takes over what lies in Redis. Sessions of Node's servers do not tell since when the rooms are.
    pub(crate) fn restore(saved: SavedSession, fence: Box<str>) -> Option<Self> {
        let id = |text: &str| text.parse::<StreamId>().ok();
        let SavedSession {
            sid,
            pid,
            rooms,
            known_since,
            since,
            left,
            ..
        } = saved;
        let rooms = rooms.0.into_iter().map(|room| {
            let since = since
                .get(&room)
                .map_or(Some(StreamId::ZERO), |since| id(since))?;
            Some((room, since))
        });
        let left = left.into_iter().map(|stay| {
            Some(Stay {
                from: id(&stay.from)?,
                to: id(&stay.to)?,
                room: stay.room,
            })
        });
        let mut session = Self::new(SocketId::from(&*sid), &pid, fence);
        session.known_since = known_since.map_or(Some(StreamId::ZERO), |known| id(&known))?;
        session.rooms = rooms.collect::<Option<_>>()?;
        session.left = left.collect::<Option<_>>()?;
        Some(session)
    }
}

#[cfg(test)]
mod tests;
