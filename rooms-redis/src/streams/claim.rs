//! Clients that come back: their sessions are claimed, and what they missed is read.

use super::{
    recovery::{Kept, Sessions},
    session::Session,
};
use crate::{
    message::Message,
    protocol::{
        cluster,
        streams::{StreamId, read_entry, read_session},
    },
};
use redis::Value;
use rooms_layer::{
    SocketId,
    rooms::adapter::{AdapterError, Claimed, Logged},
};
use std::{sync::Arc, time::Duration};

/// How long this server may lag behind what a client has seen on another one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many entries are read at once for a client that comes back.
const PAGE: usize = 100;

impl Sessions {
    pub(super) async fn try_claim(
        &self,
        token: &str,
        offset: StreamId,
    ) -> Result<Option<Claimed>, AdapterError> {
        // What is gone from the stream may have been followed by something that is gone too.
        let at_offset = self.stream.range(offset, Some(offset), 1).await?;
        let read = at_offset
            .first()
            .map(|entry| read_entry(entry.fields(), &self.limits));
        let Some(Ok(Some(entry))) = read else {
            return Ok(None);
        };
        if entry.envelope.namespace.as_deref() != Some(&*self.namespace) {
            return Ok(None);
        }
        let fence = self.new_fence();
        let claim = self.scripts.claim(token, &fence, self.lifetime(true));
        let claimed = self.stream.link.send(&self.main, claim).value().await?;
        let Some((saved, before)) = read_claimed(claimed) else {
            return Ok(None);
        };
        let saved = read_session(&saved, &self.limits).map_err(AdapterError::new)?;
        let is_ours = saved
            .nsp
            .as_deref()
            .is_none_or(|namespace| *namespace == *self.namespace);
        let epoch = self.stream.known_epoch().await?;
        let is_now = match (&saved.epoch, epoch) {
            (Some(saved), Some(epoch)) => **saved == *epoch,
            // Node's servers know of no such thing.
            (None, _) => true,
            (Some(_), None) => false,
        };
        let Some(mut session) = Session::restore(saved, fence.clone()) else {
            return Ok(None);
        };
        if !is_ours || !is_now {
            return Ok(None);
        }
        let here = self.sessions().remove(&session.socket);
        // Also where it is being evicted already: its place must be free when this is done.
        if let Some(local) = self.local.upgrade() {
            local.evict(&session.socket);
        }
        match here {
            // What this server knows of its own socket is newer than what it has written.
            Some(here) if *here.session.fence == *before => session = here.session,
            _ => self.tell_to_evict(&before, &session.socket),
        }
        if !session.is_known(offset) {
            return Ok(None);
        }
        // Otherwise what the client has seen already would reach it again from here.
        self.flow.reached(offset, PATIENCE).await?;
        session.fence = fence;
        self.away().come_back(token);
        let claimed = Claimed::new(session.socket.clone(), session.rooms(), offset.to_string());
        let socket = session.socket.clone();
        self.sessions().insert(socket, Kept::new(session, true));
        Ok(Some(claimed))
    }

    /// Tells the server whose fence it was that its socket is here by now.
    fn tell_to_evict(&self, fence: &str, socket: &SocketId) {
        let Some((server, _)) = fence.split_once(':') else {
            return;
        };
        let evict = Message::Evict {
            socket: socket.clone(),
            fence: fence.into(),
        };
        let channel: Arc<str> = format!("{}{server}#", self.main).into();
        let payload = cluster::write(&evict).into_msgpack(&self.uid, &self.namespace);
        let payload = payload.expect("an id is shorter than 4 GiB");
        let command = redis::cmd(self.publish).arg(&*channel).arg(payload).take();
        self.stream.link.send(&channel, command);
    }

    pub(super) async fn try_missed(&self, claimed: &Claimed) -> Result<Vec<Logged>, AdapterError> {
        let gone = || AdapterError::new("the session is gone");
        let session = self
            .sessions()
            .get(&claimed.socket)
            .map(|kept| kept.session.clone());
        let session = session.ok_or_else(gone)?;
        let mut last: StreamId = claimed.offset.parse().map_err(AdapterError::new)?;
        let (mut missed, mut bytes, mut read) = (Vec::new(), 0, 0);
        while let Some(first) = last.next() {
            let page = self.stream.range(first, None, PAGE).await?;
            let Some(entry) = page.last() else {
                break;
            };
            last = entry.id;
            read += page.len();
            if read > self.config.max_packets {
                return Err(AdapterError::new(
                    "more was broadcast than is kept for a client",
                ));
            }
            for entry in &page {
                let Ok(Some(of)) = read_entry(entry.fields(), &self.limits) else {
                    continue;
                };
                let is_here = of.envelope.namespace.as_deref() == Some(&*self.namespace);
                if let Message::Broadcast { to, broadcast } = of.envelope.message
                    && is_here
                    && !broadcast.volatile
                    && session.concerns(&to, entry.id)
                {
                    bytes += broadcast.data.size();
                    missed.push(Logged::new(broadcast.at(entry.id.to_string())));
                }
            }
            if bytes > self.config.max_bytes {
                return Err(AdapterError::new(
                    "a client has missed more bytes than are kept for it",
                ));
            }
            if page.len() < PAGE {
                break;
            }
        }
        // All of it was held back by now, so that nothing of it comes again.
        self.flow.reached(last, PATIENCE).await?;
        Ok(missed)
    }
}

/// The session that was claimed, and the fence that was there before.
fn read_claimed(reply: Value) -> Option<(Vec<u8>, String)> {
    let Value::Array(parts) = reply else {
        return None;
    };
    match <[Value; 2]>::try_from(parts) {
        Ok([Value::BulkString(session), Value::BulkString(fence)]) => {
            Some((session, String::from_utf8_lossy(&fence).into_owned()))
        }
        _ => None,
    }
}
