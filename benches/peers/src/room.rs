//! The room of the peers that are a bare WebSocket library: a locked map of channels, as one would write it first.

use crate::{
    Pace,
    by_hand::{Command, event, stamped},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::mpsc::UnboundedSender;

/// Channels of the clients in the room, by id; `T` is a shared text that is cheap to clone.
pub struct Room<T>(Arc<Mutex<HashMap<u64, UnboundedSender<T>>>>);

impl<T> Clone for Room<T> {
    fn clone(&self) -> Self {
        Room(self.0.clone())
    }
}

impl<T> Default for Room<T> {
    fn default() -> Self {
        Room(Arc::default())
    }
}

impl<T: Clone + From<String> + Send + 'static> Room<T> {
    pub fn leave(&self, id: u64) {
        self.lock().remove(&id);
    }

    fn emit(&self, seq: u32, payload: &str) {
        let text = T::from(event(seq, payload));
        for sender in self.lock().values() {
            // Its client is on its way out of the room.
            sender.send(text.clone()).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, UnboundedSender<T>>> {
        self.0.lock().expect("nothing panics under this lock")
    }
}

/// Does what one message of a client asks for.
pub fn answer<T: Clone + From<String> + Send + 'static>(
    text: &str,
    id: u64,
    sender: &UnboundedSender<T>,
    room: &Room<T>,
) {
    match Command::read(text) {
        Command::Reply(reply) => {
            sender.send(reply.into()).ok();
        }
        Command::Join(reply) => {
            room.lock().insert(id, sender.clone());
            sender.send(reply.into()).ok();
        }
        Command::Blast { events, bytes } => {
            let payload = "x".repeat(bytes);
            for seq in 0..events {
                room.emit(seq, &payload);
            }
        }
        // It has one room, and knows text only.
        Command::Sit(..) => {}
        Command::Pace {
            rate, bytes, secs, ..
        } => {
            let room = room.clone();
            tokio::spawn(async move {
                let mut pace = Pace::new(rate, secs);
                while let Some(seq) = pace.next().await {
                    room.emit(seq, &stamped(bytes));
                }
            });
        }
        Command::Nothing => {}
    }
}
