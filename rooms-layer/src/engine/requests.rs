//! The requests of a session that polls, as its owner's HTTP server holds them.

use super::{Engine, Held, Mailbox, Pipe, Rejected, Via, probe};
use crate::{
    session::CloseCause,
    wire::engine_io::{Body, Payload, Revision},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// An open connection, found by its secret id.
pub(crate) struct Session {
    engine: Arc<Engine>,
    mailbox: Arc<Mailbox>,
    via: Via,
}

/// A GET: resolves to the body of its response, as soon as there is something to send.
///
/// # Cancel safety
///
/// Dropping it before it has resolved ends the session, as when the client goes away.
pub(crate) struct Get {
    /// `None` once it has resolved.
    mailbox: Option<Arc<Mailbox>>,
}

/// A POST, whose body is read by its owner.
///
/// # Cancel safety
///
/// Dropping it before [`poll_taken`](Self::poll_taken) is ready ends the session, as when the client goes away. See
/// [`forgo`](Self::forgo).
pub(crate) struct Post {
    engine: Arc<Engine>,
    mailbox: Arc<Mailbox>,
    /// What has arrived of its body.
    held: Held,
}

impl Session {
    pub(super) fn new(engine: Arc<Engine>, mailbox: Arc<Mailbox>) -> Option<Self> {
        let via = mailbox.via()?;
        Some(Self {
            engine,
            mailbox,
            via,
        })
    }

    pub(crate) fn via(&self) -> Via {
        self.via
    }

    /// The revision of Engine.IO that the client speaks.
    pub(crate) fn revision(&self) -> Revision {
        self.mailbox.revision()
    }

    /// Waits for packets.
    ///
    /// # Errors
    ///
    /// Fails if another GET waits, which ends the session, or if the session has changed to WebSocket.
    pub(crate) fn get(self) -> Result<Get, Rejected> {
        self.mailbox.begin_get().inspect_err(|rejected| {
            self.engine.counters().add_refused(rejected.label());
            tracing::debug!(?rejected, "refused a GET");
        })?;
        let mailbox = Some(self.mailbox);
        Ok(Get { mailbox })
    }

    /// Brings packets.
    ///
    /// # Errors
    ///
    /// Fails if another POST is under way, which ends the session, or if the session has changed to WebSocket.
    pub(crate) fn post(self) -> Result<Post, Rejected> {
        self.mailbox.begin_post().inspect_err(|rejected| {
            self.engine.counters().add_refused(rejected.label());
            tracing::debug!(?rejected, "refused a POST");
        })?;
        Ok(Post {
            held: Held::new(self.engine.clone()),
            engine: self.engine,
            mailbox: self.mailbox,
        })
    }

    /// Changes to a pipe that speaks WebSocket, if the client asks for it in time. If not, the pipe is closed, and the session
    /// goes on as it was.
    pub(crate) async fn change(self, pipe: Arc<dyn Pipe>, received: &[u8]) {
        probe::run(self.engine.config(), &self.mailbox, pipe, received).await;
    }
}

impl Future for Get {
    type Output = Body;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Body> {
        let mailbox = self
            .mailbox
            .as_ref()
            .expect("a future is not polled after it has resolved");
        let body = ready!(mailbox.poll_get(cx));
        self.mailbox = None;
        Poll::Ready(body)
    }
}

impl Drop for Get {
    fn drop(&mut self) {
        if let Some(mailbox) = &self.mailbox {
            mailbox.abort_get();
        }
    }
}

impl Post {
    /// The longest body that is taken, in bytes.
    pub(crate) fn max_length(&self) -> usize {
        self.engine.config().limits.max_payload
    }

    /// Notes how much of the body has arrived.
    ///
    /// # Errors
    ///
    /// Fails where clients together have too much held.
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), CloseCause> {
        self.held.set(bytes)
    }

    /// Whether the body may be bytes, as `application/octet-stream` states.
    pub(crate) fn takes_bytes(&self) -> bool {
        self.mailbox.form().takes_bytes()
    }

    /// Leaves the whole body to the connection. `is_bytes` is what was stated of it.
    pub(crate) fn hand_in(&self, body: Vec<u8>, is_bytes: bool) {
        let limit = self.engine.config().limits.max_packets_per_post;
        let body = Payload::new(self.mailbox.form(), body, is_bytes);
        let packets = body.count();
        if packets > limit {
            tracing::debug!(packets, limit, "refused a body of too many packets");
            self.mailbox.abort_post();
        } else {
            self.mailbox.hand_in(body);
        }
    }

    /// Whether the packets are handed up, once they are: false if the client broke a rule over them. Also ready when the
    /// session ends for another reason.
    pub(crate) fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let taken = ready!(self.mailbox.poll_taken(cx));
        self.mailbox.end_post();
        Poll::Ready(taken)
    }

    /// Gives the POST up without harm to the session: nothing of it was taken.
    pub(crate) fn forgo(self) {
        self.mailbox.end_post();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // Does nothing after the end.
        self.mailbox.abort_post();
    }
}
