//! What the handles of the typed floor stand on.

use super::Namespace;
use crate::{
    rooms::{
        BackEnd, Changed, EmitError, Flags, Gathered, Replies, Selection, Sent, SocketId,
        adapter::{BoxFuture, Command, Question},
    },
    wire::Data,
};
use std::time::Duration;

impl BackEnd for Namespace {
    fn path(&self) -> &str {
        self.path()
    }

    fn emit(&self, to: &Selection, flags: Flags, data: Data) -> Result<Sent, EmitError> {
        self.emit(to, flags, data)
    }

    fn emit_with_ack(
        &self,
        to: &Selection,
        flags: Flags,
        data: Data,
        timeout: Option<Duration>,
    ) -> Result<Replies, EmitError> {
        let timeout = timeout.unwrap_or_else(|| self.ack_timeout());
        self.emit_with_ack(to, flags, data, timeout)
            .map(Replies::of)
    }

    fn command(&self, to: &Selection, command: Command) -> Changed {
        self.command(to, &command)
    }

    fn sockets(&self, to: &Selection) -> Vec<SocketId> {
        self.sockets(to)
    }

    fn count(&self, to: &Selection) -> usize {
        self.count(to)
    }

    fn gather(
        &self,
        to: &Selection,
        flags: Flags,
        question: Question<'static>,
        timeout: Option<Duration>,
    ) -> BoxFuture<Gathered> {
        let timeout = timeout.unwrap_or_else(|| self.ack_timeout());
        self.gather(to, flags, question, timeout)
    }
}
