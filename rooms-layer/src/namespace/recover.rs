//! A client that comes back: its session is claimed, it enters its rooms, and it gets what it missed before anything else.

use super::{Namespace, Peer, SocketData};
use crate::{
    engine::{EngineConfig, Mailbox},
    handshake::HandshakeInfo,
    rooms::adapter::Logged,
    wire::{Args, Format, Frames},
};
use bytes::Bytes;
use serde::Deserialize;
use std::{borrow::Cow, collections::HashSet, sync::Arc};

/// Longer texts than any adapter writes.
const MAX_SHOWN: usize = 256;

/// What a client shows that means to come back.
pub(super) struct Shown {
    pub(super) token: Box<str>,
    pub(super) offset: Box<str>,
}

impl Shown {
    /// Reads it from the payload of a CONNECT packet, where the stock client puts it beside what the application calls `auth`.
    pub(super) fn read(auth: &Args) -> Option<Self> {
        #[derive(Deserialize)]
        struct Auth<'a> {
            #[serde(borrow)]
            pid: Cow<'a, str>,
            #[serde(borrow)]
            offset: Cow<'a, str>,
        }
        let Auth { pid, offset } = auth.get(0).ok()?;
        (pid.len() <= MAX_SHOWN && offset.len() <= MAX_SHOWN).then(|| Self {
            token: pid.into(),
            offset: offset.into(),
        })
    }
}

/// A client at the door, let in by `authorize`.
pub(super) struct Guest {
    pub(super) namespace: Arc<Namespace>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) handshake: Arc<HandshakeInfo>,
    pub(super) data: SocketData,
}

impl Guest {
    pub(super) fn peer(&self) -> Peer {
        Peer::new(
            self.namespace.clone(),
            self.mailbox.clone(),
            self.handshake.clone(),
            self.data.clone(),
        )
    }

    /// Claims the session that the client shows, and reads what it missed. `None`: it is a new client.
    pub(super) async fn come_back(self, shown: Shown) -> (Self, Option<Returning>) {
        let returning = self.try_to_come_back(shown).await;
        (self, returning)
    }

    async fn try_to_come_back(&self, shown: Shown) -> Option<Returning> {
        let path = self.namespace.path();
        let recovery = self.namespace.recovery()?;
        let Some(claimed) = recovery.claim(&shown.token, &shown.offset).await else {
            tracing::debug!(namespace = ?path, "a client came back too late, or with what is not ours");
            return None;
        };
        let peer = Arc::new(self.peer().come_back_as(claimed.socket.clone()));
        if self
            .namespace
            .enter_again(&peer, claimed.rooms.clone())
            .is_err()
        {
            tracing::debug!(namespace = ?path, socket = %peer.id(), "two clients came back as one");
            return None;
        }
        let mut returning = Returning {
            peer,
            token: shown.token,
            missed: Vec::new(),
            is_in: false,
        };
        match recovery.missed(&claimed).await {
            Ok(missed) => {
                // What is among them and was being queued meanwhile is held back by now, and so not taken for something new.
                self.namespace.catch_up();
                returning.missed = missed;
            }
            Err(error) => {
                tracing::debug!(namespace = ?path, %error, "what a client missed can't be had");
                returning.peer.end_session();
                return None;
            }
        }
        Some(returning)
    }
}

/// A client that is in its rooms again and has not heard anything yet. Leaves them if it is dropped.
pub(super) struct Returning {
    peer: Arc<Peer>,
    token: Box<str>,
    missed: Vec<Logged>,
    is_in: bool,
}

impl Returning {
    /// Gives the client what it missed, then the reply to its CONNECT, then what was held back.
    pub(super) fn let_in(mut self, reply: impl FnOnce(&Peer, &str) -> Frames) -> Option<Arc<Peer>> {
        let reply = reply(&self.peer, &self.token);
        let missed = std::mem::take(&mut self.missed);
        let path = self.peer.namespace().path();
        if let Err(TooMuch) = self.peer.release(&missed, reply) {
            tracing::debug!(namespace = ?path, "a client missed more than may wait for it");
            self.peer.end_session();
            return None;
        }
        self.is_in = true;
        Some(self.peer.clone())
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if !self.is_in {
            self.peer.begin_leaving();
            self.peer.namespace().exit(&self.peer);
            self.peer.forget_rooms();
            self.peer.abandon();
            self.peer.namespace().linger();
        }
        self.peer.namespace().returned();
    }
}

/// What is held back for a client that is coming back.
#[derive(Default)]
pub(super) struct Held {
    packets: Vec<(Frames, Option<Box<str>>)>,
    bytes: usize,
}

/// More than may wait for a client.
#[derive(Debug)]
pub(super) struct TooMuch;

impl Held {
    pub(super) fn push(
        &mut self,
        packet: &Frames,
        offset: Option<&str>,
        config: &EngineConfig,
    ) -> Result<(), TooMuch> {
        self.bytes += size(packet);
        if self.packets.len() >= config.max_queued_packets || self.bytes > config.max_queued_bytes {
            return Err(TooMuch);
        }
        self.packets.push((packet.clone(), offset.map(Into::into)));
        Ok(())
    }

    /// Everything that the client gets, in order: no broadcast twice, although some were both recorded and held back.
    pub(super) fn behind(
        &self,
        missed: &[Logged],
        mut packets: Vec<Frames>,
        config: &EngineConfig,
    ) -> Result<Vec<Frames>, TooMuch> {
        let offsets = missed
            .iter()
            .filter_map(|logged| logged.broadcast.offset.as_deref());
        let offsets: HashSet<&str> = offsets.collect();
        let is_new = |offset: &Option<Box<str>>| {
            offset
                .as_deref()
                .is_none_or(|offset| !offsets.contains(offset))
        };
        let held = self.packets.iter().filter(|(_, offset)| is_new(offset));
        packets.extend(held.map(|(packet, _)| packet.clone()));
        // Half of what may wait, so that there is room for what comes next.
        let bytes: usize = packets.iter().map(size).sum();
        let fits = packets.len() <= config.max_queued_packets.div_ceil(2)
            && bytes <= config.max_queued_bytes.div_ceil(2);
        if fits { Ok(packets) } else { Err(TooMuch) }
    }
}

/// What a packet weighs in the format of most clients.
fn size(packet: &Frames) -> usize {
    packet.in_format(Format::Json).map_or(0, Bytes::len)
}
