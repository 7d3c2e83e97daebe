use super::{EngineSocket, Message};
use crate::session::DisconnectReason;
use std::future::{Future, ready};

/// What an application does with connections. One value serves all of them.
///
/// Of one connection the methods are called one at a time and in order: `open`, then `message` for each message, then `close`, each
/// after the one before it has ended. While a message is handled, no further one is read, so that a client which sends faster than
/// it is served is slowed down; its heartbeat is not held against it meanwhile. What is to go on beside that is spawned.
///
/// A method that panics is logged, and the connection goes on.
///
/// ```
/// use rooms_layer::{DisconnectReason, engine_io::{EngineSocket, Handler, Message}};
/// use std::{collections::HashMap, sync::Mutex};
///
/// /// Passes on what one says to all others.
/// #[derive(Default)]
/// struct Room(Mutex<HashMap<String, EngineSocket>>);
///
/// impl Handler for Room {
///     async fn open(&self, socket: &EngineSocket) {
///         self.0.lock().unwrap().insert(socket.id().to_owned(), socket.clone());
///     }
///
///     async fn message(&self, socket: &EngineSocket, message: Message) {
///         let others = self.0.lock().unwrap();
///         for other in others.values().filter(|other| other.id() != socket.id()) {
///             other.send(message.clone()).ok();
///         }
///     }
///
///     async fn close(&self, socket: &EngineSocket, reason: DisconnectReason) {
///         self.0.lock().unwrap().remove(socket.id());
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// A connection is open.
    fn open(&self, socket: &EngineSocket) -> impl Future<Output = ()> + Send {
        let _ = socket;
        ready(())
    }

    /// A message has come.
    fn message(&self, socket: &EngineSocket, message: Message) -> impl Future<Output = ()> + Send;

    /// A connection is over. Nothing can be sent any more. It is not called where the connection's task is dropped, as when the
    /// runtime shuts down.
    ///
    /// A connection that [`EngineSocket::close`] ended says [`ForcedServerClose`](DisconnectReason::ForcedServerClose).
    fn close(
        &self,
        socket: &EngineSocket,
        reason: DisconnectReason,
    ) -> impl Future<Output = ()> + Send {
        let _ = (socket, reason);
        ready(())
    }
}
