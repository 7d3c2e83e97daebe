//! One namespace of this server, untyped.

use super::{Changed, EmitError, Hub, Replies};
use crate::{
    rooms::{Selection, SocketId},
    wire::Data,
};
use std::{sync::Arc, time::Duration};

/// One namespace: its path, its peers and rooms, its handlers.
pub(crate) struct Namespace;
/// How an emit travels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    /// May be dropped where a client can't take it at once.
    pub(crate) volatile: bool,
    /// Not forwarded to other servers.
    pub(crate) local: bool,
}
/// What an emit reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many sockets of this server the event was queued for.
    pub local: usize,
}
impl Namespace {
    pub(crate) fn path(&self) -> &str {
        todo!()
    }
    pub(crate) fn hub(&self) -> Arc<Hub> {
        todo!()
    }
    pub(crate) fn emit(
        &self,
        _to: &Selection,
        _flags: Flags,
        _data: Data,
    ) -> Result<Sent, EmitError> {
        todo!()
    }
    pub(crate) fn emit_with_ack(
        &self,
        _to: &Selection,
        _flags: Flags,
        _data: Data,
        _timeout: Duration,
    ) -> Result<Replies, EmitError> {
        todo!()
    }
    /// Makes every selected socket, on every server, join the rooms.
    pub(crate) fn join(&self, _to: &Selection, _rooms: Vec<Box<str>>) -> Changed {
        todo!()
    }
    /// Makes every selected socket, on every server, leave the rooms.
    pub(crate) fn leave(&self, _to: &Selection, _rooms: Vec<Box<str>>) -> Changed {
        todo!()
    }
    /// Disconnects every selected socket from this namespace, on every server.
    pub(crate) fn disconnect(&self, _to: &Selection) -> Changed {
        todo!()
    }
    /// Ids of the selected sockets of this server.
    pub(crate) fn sockets(&self, _to: &Selection) -> Vec<SocketId> {
        todo!()
    }
    /// How many sockets of this server are selected.
    pub(crate) fn count(&self, _to: &Selection) -> usize {
        todo!()
    }
    /// Names of the rooms that have a member on this server (own-id rooms among them).
    pub(crate) fn rooms(&self) -> Vec<String> {
        todo!()
    }
}
