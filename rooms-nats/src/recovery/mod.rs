//! Sessions and a log in JetStream, for clients that come back.
//!
//! Every recoverable broadcast is stored in one stream, a subject for each namespace. Every server reads that stream and delivers
//! what is in it, so all deliver in the same order, and what a broken connection kept from a server comes when it is whole again.
//! Sessions are in a bucket of keys and values, and a claim is fenced by the revision of its entry.

mod log;
mod offset;
mod recorder;
mod session;
pub(crate) mod sessions;

pub(crate) use self::{log::Log, recorder::Recorder, sessions::Sessions};

use self::{
    log::Most,
    offset::Offset,
    recorder::Record,
    session::{Session, key},
    sessions::Place,
};
use crate::{cluster::Cluster, outbox::Outbox, protocol};
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{
            AdapterError, BoxFuture, Broadcast, Claimed, Confirmed, Local, Logged, Recorded,
            Recovery, RecoveryConfig,
        },
    },
};
use std::sync::{Arc, Weak};
use tokio::sync::oneshot;

/// What all namespaces of a server share.
#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) outbox: Outbox,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) log: Arc<Log>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) recorder: Recorder,
}

/// The recovery of one namespace.
pub(crate) struct Keeping {
    keeper: Keeper,
    namespace: Arc<str>,
    local: Weak<dyn Local>,
    config: RecoveryConfig,
}

impl Keeping {
    pub(crate) fn new(
        keeper: Keeper,
        namespace: Arc<str>,
        local: Weak<dyn Local>,
        config: RecoveryConfig,
    ) -> Self {
        Self {
            keeper,
            namespace,
            local,
            config,
        }
    }

    /// What its sessions have in common.
    fn place(&self) -> Place {
        Place {
            namespace: self.namespace.clone(),
            config: self.config.clone(),
        }
    }

    /// The sessions, which are told of whatever moves.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.keeper.sessions
    }

    /// Stores a broadcast; an error where it can't be.
    fn store(&self, to: &Selection, broadcast: &Broadcast) -> Result<Confirmed, AdapterError> {
        let outbox = &self.keeper.outbox;
        outbox.check()?;
        let header = outbox.header();
        let id = format!("{}-{}", header.from, header.number);
        let payload = protocol::logged(header, &self.namespace, to, broadcast);
        let payload = payload.map_err(AdapterError::new)?;
        // The header with the id is counted too.
        outbox.check_length(payload.len() + id.len() + recorder::HEADERS)?;
        let (tell, told) = oneshot::channel();
        self.keeper.recorder.record(Record {
            subject: outbox.subjects().log(&self.namespace),
            payload,
            id,
            tell,
        })?;
        Ok(Confirmed::when(async {
            match told.await {
                Ok(told) => told.map_err(AdapterError::new),
                Err(_) => Err(AdapterError::new("the adapter is closed")),
            }
        }))
    }
}

impl Recovery for Keeping {
    fn begin(&self, socket: &SocketId, token: &str) -> Confirmed {
        let sessions = &self.keeper.sessions;
        sessions.begin(self.place(), socket, key(token));
        Confirmed::now()
    }

    fn end(&self, socket: &SocketId) {
        self.keeper.sessions.end(socket);
    }

    fn record(&self, to: &Selection, broadcast: &Broadcast) -> Recorded {
        self.store(to, broadcast).map_or_else(
            |error| {
                // The sockets of this server get it all the same. Without a place, so that nobody takes it for recoverable.
                tracing::warn!(%error, "a broadcast is not recorded, and is heard on this server only");
                if let Some(local) = self.local.upgrade() {
                    local.deliver(to, broadcast.clone());
                }
                Recorded::Later(Confirmed::when(std::future::ready(Err(error))))
            },
            Recorded::Later,
        )
    }

    fn claim(&self, token: &str, offset: &str) -> BoxFuture<Option<Claimed>> {
        let (key, offset) = (key(token), Offset::read(offset));
        let (keeper, namespace) = (self.keeper.clone(), self.namespace.clone());
        let (window, place) = (self.config.window, self.place());
        Box::pin(async move {
            let offset = offset?;
            if !keeper.log.holds(&keeper.outbox, &namespace, &offset).await {
                return None;
            }
            let claim = keeper
                .sessions
                .claim(&namespace, key, window, keeper.outbox.own())
                .await?;
            let Session { socket, rooms, .. } = claim.session;
            if *claim.from != *keeper.outbox.own() {
                let header = keeper.outbox.header();
                let message = protocol::evict(header, &namespace, socket.as_str(), claim.revision);
                // Where it does not hear this, it learns of it when it next writes the session.
                keeper
                    .outbox
                    .try_send(keeper.outbox.subjects().server(&claim.from), message)
                    .ok();
            } else if let Some(local) = keeper.cluster.local(&namespace) {
                local.evict(&socket);
            }
            keeper
                .sessions
                .take_over(place, &socket, claim.key, claim.revision);
            Some(Claimed::new(socket, rooms, offset.write()))
        })
    }

    fn missed(&self, claimed: &Claimed) -> BoxFuture<Result<Vec<Logged>, AdapterError>> {
        let (keeper, namespace) = (self.keeper.clone(), self.namespace.clone());
        let offset = Offset::read(&claimed.offset);
        let most = Most {
            packets: self.config.max_packets,
            bytes: self.config.max_bytes,
        };
        let mut rooms = claimed.rooms.clone();
        rooms.push(claimed.socket.as_str().into());
        Box::pin(async move {
            let offset = offset.ok_or_else(|| AdapterError::new("the offset is not ours"))?;
            let subject = keeper.outbox.subjects().log(&namespace);
            let missed = keeper
                .log
                .after(&subject, &namespace, &offset, &rooms, most);
            missed.await.map_err(AdapterError::new)
        })
    }
}
