//! What handles stand on: what an emit needs of whoever carries it out.

use super::{
    AckError, AdapterError, Changed, EmitError, Selection, SocketId,
    adapter::{Answer, BoxFuture, Command, Confirmed, Question},
};
use crate::wire::{Args, Data};
use futures_core::Stream;
use std::{
    any::Any,
    future::IntoFuture,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A namespace, as handles to it see it: one of this server, or a way into one of a cluster's.
///
/// What a handle may ask of it says the handle's type (`bounds::CanAck`, `bounds::CanQuery`).
pub(crate) trait BackEnd: Any + Send + Sync {
    /// The path of the namespace.
    fn path(&self) -> &str;

    /// Emits to every selected socket, on every server.
    fn emit(&self, to: &Selection, flags: Flags, data: Data) -> Result<Sent, EmitError>;

    /// Emits to every selected socket, on every server, and collects the answers; without a timeout as long as is configured.
    fn emit_with_ack(
        &self,
        to: &Selection,
        flags: Flags,
        data: Data,
        timeout: Option<Duration>,
    ) -> Result<Replies, EmitError>;

    /// Has every selected socket, on every server, carry out a command.
    fn command(&self, to: &Selection, command: Command) -> Changed;

    /// The selected sockets of this server.
    fn sockets(&self, to: &Selection) -> Vec<SocketId>;

    /// How many sockets of this server are selected.
    fn count(&self, to: &Selection) -> usize;

    /// Puts a question to every server, this one included.
    fn gather(
        &self,
        to: &Selection,
        flags: Flags,
        question: Question<'static>,
        timeout: Option<Duration>,
    ) -> BoxFuture<Gathered>;
}

/// What servers answered to a question, and how many of them did not.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) answers: Vec<Answer>,
    pub(crate) missing: usize,
}

/// How an emit travels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// May be dropped where a client can't take it at once.
    pub(crate) volatile: bool,
    /// Not passed on to other servers.
    pub(crate) local: bool,
}

/// An event that was emitted.
///
/// Awaiting it waits until the engine behind the adapter has it, and in a namespace whose
/// [slow clients are waited for](crate::SlowClients::Wait) until all recipients on this server have room for more or are gone.
/// Otherwise, and with [`InMemory`](crate::InMemory), there is nothing to wait for. It is on its way in any case.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sent {
    /// How many sockets of this server the event was queued for. None for an emitter, which has no sockets.
    pub local: usize,
    confirmed: Confirmed,
}

impl Sent {
    pub(crate) fn new(local: usize, confirmed: Confirmed) -> Self {
        Self { local, confirmed }
    }
}

impl IntoFuture for Sent {
    type Output = Result<(), AdapterError>;
    type IntoFuture = Confirmed;

    fn into_future(self) -> Confirmed {
        self.confirmed
    }
}

/// The answers to one emit, as they come.
///
/// # Cancel safety
///
/// Nothing is lost between two items. Dropping it stops waiting.
pub(crate) struct Replies(Option<Pin<Box<dyn Awaited>>>);

/// Who answered, and what; or why not.
type Reply = (SocketId, Result<Args, AckError>);

/// The answers of whoever was asked.
pub(crate) trait Awaited: Stream<Item = Reply> + Send {
    /// How many servers have not answered, as far as is known by now: all of it at the end.
    fn missing_servers(&self) -> usize;
}

impl Replies {
    /// The answers of a stream.
    #[cfg(feature = "server")]
    pub(crate) fn of(stream: impl Awaited + 'static) -> Self {
        Self(Some(Box::pin(stream)))
    }

    /// How many servers have not answered, as far as is known by now.
    pub(crate) fn missing_servers(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |awaited| awaited.missing_servers())
    }

    /// Nobody was asked.
    pub(crate) const fn none() -> Self {
        Self(None)
    }
}

impl Stream for Replies {
    type Item = Reply;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reply>> {
        match &mut self.0 {
            Some(stream) => stream.as_mut().poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}
