//! What happens to the rooms of this server, for those who watch.

use crate::rooms::{LeftRoom, SocketId};
use futures_core::Stream;
use futures_util::{StreamExt, stream};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};
use tokio::sync::broadcast::{self, Sender, error::RecvError};

/// How many events wait for a reader before it misses the oldest.
const CAPACITY: usize = 1_024;

/// Something happened to a room of this server.
///
/// A room is created when its first socket joins it, and deleted when its last one has left it. The room of each socket's own
/// id is one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoomEvent {
    /// The room is there, and was not before. What joined it comes next.
    Created {
        /// The room's name.
        room: Arc<str>,
    },
    /// A socket is in the room, and was not before.
    Joined {
        /// The room's name.
        room: Arc<str>,
        /// Who joined.
        socket: SocketId,
    },
    /// A socket was in the room, and no longer is.
    Left {
        /// The room's name.
        room: Arc<str>,
        /// Who left.
        socket: SocketId,
    },
    /// Nobody is in the room any more.
    Deleted {
        /// The room's name.
        room: Arc<str>,
    },
}

impl RoomEvent {
    /// The name of the room, from which `Room::parse` makes the room again.
    pub fn room(&self) -> &str {
        match self {
            Self::Created { room }
            | Self::Joined { room, .. }
            | Self::Left { room, .. }
            | Self::Deleted { room } => room,
        }
    }
}

/// So many events came faster than they were read, and are lost to this reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} room events were missed")]
pub struct Lagged(pub u64);

/// What happens to the rooms of this server from now on: a stream, in the order in which it happens.
///
/// A reader that falls behind by more than 1,024 events misses the oldest and is told how many. It ends with the namespace.
pub struct RoomEvents(Pin<Box<dyn Stream<Item = Result<RoomEvent, Lagged>> + Send>>);

impl RoomEvents {
    /// Waits for the next event; `None` when the namespace is gone.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when this is dropped.
    pub async fn next(&mut self) -> Option<Result<RoomEvent, Lagged>> {
        self.0.next().await
    }
}

impl Stream for RoomEvents {
    type Item = Result<RoomEvent, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for RoomEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomEvents").finish_non_exhaustive()
    }
}

/// Those who watch. Takes nothing as long as there is nobody.
#[derive(Default)]
pub(super) struct Watchers(OnceLock<Sender<RoomEvent>>);

impl Watchers {
    pub(super) fn watch(&self) -> RoomEvents {
        let events = self.0.get_or_init(|| Sender::new(CAPACITY)).subscribe();
        let events = stream::unfold(
            events,
            async |mut events: broadcast::Receiver<_>| match events.recv().await {
                Ok(event) => Some((Ok(event), events)),
                Err(RecvError::Lagged(missed)) => Some((Err(Lagged(missed)), events)),
                Err(RecvError::Closed) => None,
            },
        );
        RoomEvents(Box::pin(events))
    }

    /// Somebody who is there.
    fn sender(&self) -> Option<&Sender<RoomEvent>> {
        self.0.get().filter(|sender| sender.receiver_count() > 0)
    }

    pub(super) fn joined(&self, socket: &SocketId, room: &str, created: impl FnOnce() -> bool) {
        let Some(sender) = self.sender() else {
            return;
        };
        let (room, socket): (Arc<str>, _) = (room.into(), socket.clone());
        if created() {
            tell(sender, RoomEvent::Created { room: room.clone() });
        }
        tell(sender, RoomEvent::Joined { room, socket });
    }

    pub(super) fn left(&self, socket: &SocketId, room: &str, deleted: bool) {
        let Some(sender) = self.sender() else {
            return;
        };
        let (room, socket): (Arc<str>, _) = (room.into(), socket.clone());
        let name = room.clone();
        tell(sender, RoomEvent::Left { room, socket });
        if deleted {
            tell(sender, RoomEvent::Deleted { room: name });
        }
    }

    pub(super) fn gone(&self, socket: &SocketId, rooms: &[LeftRoom]) {
        for room in rooms {
            self.left(socket, &room.name, room.deleted);
        }
    }
}

fn tell(sender: &Sender<RoomEvent>, event: RoomEvent) {
    // It fails where the last reader has gone meanwhile.
    let _ = sender.send(event);
}
