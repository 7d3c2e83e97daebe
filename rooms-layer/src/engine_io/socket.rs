use super::Message;
use crate::{
    engine::{Batch, Engine, Mailbox, Pushed, Via},
    handshake::HandshakeInfo,
    session::CloseCause,
};
use std::{fmt, sync::Arc};

/// One connection: a cheap clone, which may be kept longer than the connection lasts.
#[derive(Clone)]
pub struct EngineSocket(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    mailbox: Arc<Mailbox>,
    sid: Box<str>,
    handshake: HandshakeInfo,
}

/// What a connection travels by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// HTTP long-polling. The client may still change to WebSocket.
    Polling,
    /// WebSocket.
    WebSocket,
}

/// The connection is over, or was ended by this message, since the client does not keep up: nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed")]
pub struct Closed;

impl EngineSocket {
    pub(super) fn new(
        engine: Arc<Engine>,
        mailbox: Arc<Mailbox>,
        sid: &str,
        handshake: HandshakeInfo,
    ) -> Self {
        Self(Arc::new(Shared {
            engine,
            mailbox,
            sid: sid.into(),
            handshake,
        }))
    }

    /// Returns the id of the session. It is a secret: whoever knows it can read and write as the client.
    pub fn id(&self) -> &str {
        &self.0.sid
    }

    /// Sends a message after all that was sent before it, by whatever transport the client has when it leaves. It does not wait: what
    /// the client can't take at once is queued, up to [`max_queued_packets`](crate::EngineConfig::max_queued_packets) and
    /// [`max_queued_bytes`](crate::EngineConfig::max_queued_bytes), beyond which the connection is closed.
    ///
    /// # Errors
    ///
    /// Fails when the connection is over.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), Closed> {
        // Framed as JSON is: what revision 3 has otherwise, the mailbox sees to.
        let packet = message.into().frame().into();
        let mut batch = Batch::new(self.0.engine.flusher());
        match self.0.mailbox.send(&packet, &mut batch) {
            Pushed::Refused => Err(Closed),
            Pushed::Queued | Pushed::Marked | Pushed::Dropped => Ok(()),
        }
    }

    /// Ends the connection after what was sent has left.
    pub fn close(&self) {
        self.0.mailbox.close(CloseCause::ServerClosed);
    }

    /// Tells whether messages can still be sent.
    pub fn is_open(&self) -> bool {
        self.0.mailbox.ending().is_none()
    }

    /// Returns what the connection travels by now; `None` when it is over.
    pub fn transport(&self) -> Option<Transport> {
        self.0.mailbox.via().map(|via| match via {
            Via::Polling => Transport::Polling,
            Via::WebSocket => Transport::WebSocket,
        })
    }

    /// Returns what is kept of the HTTP request that opened the connection.
    pub fn handshake(&self) -> &HandshakeInfo {
        &self.0.handshake
    }
}

/// Without the id, which does not belong in logs.
impl fmt::Debug for EngineSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineSocket")
            .field("transport", &self.transport())
            .finish_non_exhaustive()
    }
}
