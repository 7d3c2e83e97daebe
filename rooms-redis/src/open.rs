//! A namespace that the layer has opened.

use crate::{
    link::{Listener, Topic},
    member::{self, Member, Voice},
};
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{
            Answers, Broadcast, Channel, Command, Confirmed, Moved, Publisher, Question, Recovery,
        },
    },
    wire::Data,
};
use std::{sync::Arc, time::Instant};

/// What a mode does besides saying things.
pub(crate) trait Mode: Voice {
    /// The topic that a room has for itself.
    fn topic_of(&self, _room: &str) -> Option<Topic> {
        None
    }

    /// A socket has moved. Called under the order that a channel which recovers keeps.
    fn follow(&self, _socket: &SocketId, _moved: Moved<'_>) -> Confirmed {
        Confirmed::now()
    }

    /// What keeps sessions.
    fn recovery(&self) -> Option<&dyn Recovery> {
        None
    }
}

/// An open namespace. Dropping it ends what is subscribed for it.
pub(crate) struct Open<V> {
    member: Arc<Member<V>>,
    listener: Arc<dyn Listener>,
    /// What every namespace listens to.
    topics: Vec<Topic>,
}

impl<V: Mode> Open<V>
where
    Member<V>: Listener,
{
    pub(crate) fn new(member: impl Into<Arc<Member<V>>>, topics: impl Into<Vec<Topic>>) -> Self {
        let member = member.into();
        let open = Self {
            listener: member.clone(),
            member,
            topics: topics.into(),
        };
        open.listen().for_each(drop);
        open
    }
}

impl<V> Open<V> {
    /// Listens to what every namespace listens to. Confirmed at once where that is so already.
    fn listen(&self) -> impl Iterator<Item = Confirmed> {
        let topics = self.topics.iter();
        topics.map(|topic| {
            self.member
                .link
                .topics()
                .set(topic, &self.listener, || true)
        })
    }
}

impl<V> Drop for Open<V> {
    fn drop(&mut self) {
        self.member.link.topics().forget(&self.listener);
    }
}

impl<V: Mode> Publisher for Open<V> {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        member::broadcast(&*self.member.voice, to, broadcast)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        member::command(&*self.member.voice, to, command)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        member::tell(&*self.member.voice, event)
    }
}

impl<V: Mode> Channel for Open<V> {
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers> {
        self.member.ask(to, question, deadline)
    }

    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        let stored = self.member.voice.follow(socket, moved);
        let (Moved::Joined(rooms) | Moved::Left(rooms) | Moved::Gone(rooms)) = moved else {
            return Confirmed::now();
        };
        let local = self.member.local.upgrade();
        let is_here = |room: &str| local.as_ref().is_some_and(|local| local.has_room(room));
        let topics = self.member.link.topics();
        let followed = rooms.iter().filter_map(|room| {
            let topic = self.member.voice.topic_of(room)?;
            // What is true by now counts, and not what has just happened: others may have moved at the same time.
            Some(topics.set(&topic, &self.listener, || is_here(room)))
        });
        let mut followed: Vec<_> = followed.chain([stored]).collect();
        if let Moved::Joined(_) = moved {
            // What is said in a room can be heard once the namespace is.
            followed.extend(self.listen());
        }
        Confirmed::when(async {
            for confirmed in followed {
                confirmed.await?;
            }
            Ok(())
        })
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        self.member.voice.recovery()
    }
}
