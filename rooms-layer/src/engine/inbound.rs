use crate::session::{CloseCause, DisconnectReason};
use std::task::{Context, Poll};

/// What a client sent, without its Engine.IO envelope.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// What the floor above does with what arrives on one connection. Called by the connection's task only, in order.
pub(crate) trait Inbound: Send + Unpin + 'static {
    /// The connection is open: called once, before anything else.
    fn opened(&mut self, _cx: &mut Context<'_>) {}
    /// Takes a message. An error closes the connection for that cause.
    fn message(&mut self, message: Message<'_>, cx: &mut Context<'_>) -> Result<(), CloseCause>;
    /// Whether one more message can be taken now. While it can't, the connection stops reading, and the client's heartbeat
    /// is not held against it. `poll` makes room.
    fn is_ready(&self) -> bool;
    /// Drives what earlier messages started; `Ready` when nothing is left to drive.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// The connection is over. `poll` is still called until it is `Ready`; `message` never again.
    fn closed(&mut self, reason: DisconnectReason, cx: &mut Context<'_>);
}
