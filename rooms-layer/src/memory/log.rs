//! What was broadcast to one namespace lately. Pure: the time is an argument.

use crate::rooms::{
    RecoveryConfig, Selection,
    adapter::{Broadcast, Logged},
};
use hashbrown::HashMap;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// A place among all that was ever recorded, counted from 1.
pub(super) type Position = u64;

/// The latest broadcasts of one namespace, up to a number, a sum of bytes, and an age.
///
/// What it forgets, it remembers to have forgotten: for everybody, and for each room that somebody follows. So a client that has
/// heard nothing for long can still be sure to have missed nothing.
pub(super) struct Log {
    config: RecoveryConfig,
    /// Tells the offsets of this log from those of any other.
    epoch: Box<str>,
    entries: VecDeque<Entry>,
    bytes: usize,
    last: Position,
    /// The latest that went to everybody and is forgotten.
    forgotten: Position,
    /// For each room that is followed, the latest that went there and is forgotten.
    followed: HashMap<Arc<str>, Position, foldhash::fast::RandomState>,
}

struct Entry {
    at: Instant,
    to: Selection,
    broadcast: Broadcast,
}

impl Log {
    pub(super) fn new(config: RecoveryConfig, epoch: &str) -> Self {
        Self {
            config,
            epoch: epoch.into(),
            entries: VecDeque::new(),
            bytes: 0,
            last: 0,
            forgotten: 0,
            followed: HashMap::default(),
        }
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// Appends a broadcast; the offset that says its place.
    pub(super) fn record(
        &mut self,
        to: &Selection,
        broadcast: &Broadcast,
        now: Instant,
    ) -> Box<str> {
        self.last += 1;
        let offset = self.offset(self.last);
        let entry = Entry {
            at: now,
            to: to.clone(),
            broadcast: broadcast.clone().at(offset.clone()),
        };
        self.bytes += entry.weight();
        self.entries.push_back(entry);
        self.expire(now);
        offset
    }

    /// Forgets what is too old or too much.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(oldest) = self.entries.front()
            && (self.entries.len() > self.config.max_packets
                || self.bytes > self.config.max_bytes
                || now.saturating_duration_since(oldest.at) > self.config.window)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let position = self.first();
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= entry.weight();
        let Some(rooms) = &entry.to.rooms else {
            self.forgotten = position;
            return;
        };
        for room in rooms {
            if let Some(forgotten) = self.followed.get_mut(&**room) {
                *forgotten = position;
            }
        }
    }

    /// The position of the oldest that is still there, or of the next to come.
    fn first(&self) -> Position {
        self.last + 1 - self.entries.len() as u64
    }

    /// The latest that went to everybody and is forgotten.
    pub(super) fn forgotten(&self) -> Position {
        self.forgotten
    }

    /// The latest that went to a room that is followed, and is forgotten.
    pub(super) fn forgotten_in(&self, room: &str) -> Position {
        self.followed.get(room).copied().unwrap_or_default()
    }

    /// Somebody wants to know what is forgotten of a room.
    pub(super) fn follow(&mut self, room: &str) -> Arc<str> {
        if let Some((known, _)) = self.followed.get_key_value(room) {
            return known.clone();
        }
        let room: Arc<str> = room.into();
        // What was forgotten before does not concern who comes now.
        self.followed.insert(room.clone(), 0);
        room
    }

    /// Somebody no longer wants to know. What they hold counts them.
    pub(super) fn unfollow(&mut self, room: Arc<str>) {
        const THE_MAP_AND_THIS: usize = 2;
        if Arc::strong_count(&room) == THE_MAP_AND_THIS {
            self.followed.remove(&room);
        }
    }

    /// What is there after a position, for those for whom `concerns` says so.
    pub(super) fn after(
        &self,
        position: Position,
        concerns: impl Fn(&Selection, Position) -> bool,
    ) -> Vec<Logged> {
        let first = self.first();
        let skipped = usize::try_from((position + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries
            .iter()
            .enumerate()
            .skip(skipped)
            .filter(|(index, entry)| concerns(&entry.to, first + *index as u64))
            .map(|(_, entry)| Logged::new(entry.broadcast.clone()))
            .collect()
    }

    fn offset(&self, position: Position) -> Box<str> {
        format!("{}.{position}", self.epoch).into()
    }

    /// The position that an offset of this log says.
    pub(super) fn position(&self, offset: &str) -> Option<Position> {
        let (epoch, position) = offset.split_once('.')?;
        let position = position.parse().ok()?;
        // There is one way to write it.
        let ours =
            epoch == &*self.epoch && position <= self.last && *self.offset(position) == *offset;
        ours.then_some(position)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn followed(&self) -> usize {
        self.followed.len()
    }
}

impl Entry {
    /// What it counts in bytes, with something for its own parts.
    fn weight(&self) -> usize {
        let rooms = self.to.rooms.iter().flatten().chain(&self.to.except);
        128 + self.broadcast.data.size() + rooms.map(|room| room.len() + 16).sum::<usize>()
    }
}
