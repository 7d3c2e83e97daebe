use crate::{
    ConnectError, Nats, NatsConfig,
    channel::{Line, Way},
    recovery::{Keeper, Keeping, Log, Recorder, Sessions, sessions},
};
use async_nats::{
    ConnectOptions, ToServerAddrs,
    jetstream::{self, stream::StorageType},
};
use rooms_layer::{
    Adapter,
    bounds::{CanRecover, CanServerEmit},
    rooms::adapter::{AdapterError, BoxFuture, Channel, Confirmed, Health, Opening},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How often the stream and the bucket are asked for, and how long between.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// [`Nats`] with JetStream, which keeps what clients need that come back: for `RoomsLayer::recovery`.
///
/// See the [crate](crate) for what it promises.
#[derive(Clone)]
pub struct JetStream {
    nats: Nats,
    keeper: Keeper,
    /// How long it keeps anything.
    keep: Duration,
}

/// What JetStream keeps, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JetStreamConfig {
    /// How servers talk.
    pub nats: NatsConfig,

    /// How many servers of NATS keep each thing. Default 1, which is lost with that server; of a cluster, 3 survive the loss of one.
    pub replicas: usize,

    /// Keeps in memory instead of on disk. Default false. A restart of NATS then loses all, and no client comes back over it.
    pub in_memory: bool,

    /// How long broadcasts and sessions are kept. Default 1 hour.
    ///
    /// A client comes back only if the last broadcast that it has seen is still there, so in a quiet namespace this should be
    /// much longer than the window of the recovery. It must not be shorter than two minutes.
    pub keep: Duration,

    /// How many broadcasts are kept for each namespace. Default 10,000.
    pub max_packets: usize,

    /// How many bytes of broadcasts are kept for all namespaces together. Default 256 MiB.
    ///
    /// JetStream sets them aside, and refuses where it has not got them.
    pub max_bytes: usize,
}

impl Default for JetStreamConfig {
    fn default() -> Self {
        Self {
            nats: NatsConfig::default(),
            replicas: 1,
            in_memory: false,
            keep: Duration::from_secs(3_600),
            max_packets: 10_000,
            max_bytes: 256 * 1024 * 1024,
        }
    }
}

impl JetStreamConfig {
    pub(crate) fn storage(&self) -> StorageType {
        match self.in_memory {
            true => StorageType::Memory,
            false => StorageType::File,
        }
    }

    fn problem(&self) -> Option<&'static str> {
        if self.replicas == 0 || self.replicas > 5 {
            return Some("`replicas` must be from 1 to 5");
        }
        if self.keep < Duration::from_secs(120) {
            return Some(
                "`keep` must be two minutes at least, and longer than the window of the recovery",
            );
        }
        if self.max_packets == 0 || self.max_bytes == 0 {
            return Some("`max_packets` and `max_bytes` must not be zero: nothing could be kept");
        }
        None
    }
}

impl JetStream {
    /// Connects a server: `JetStream::connect("nats://localhost")`. The stream and the bucket are made if they are not there.
    ///
    /// # Errors
    ///
    /// Fails when NATS can't be reached, or has no JetStream.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect(servers: impl ToServerAddrs) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::new(), servers, JetStreamConfig::default()).await
    }

    /// Connects a server with options of the client: see [`Nats::connect_with`].
    ///
    /// # Errors
    ///
    /// Fails when NATS can't be reached or has no JetStream, when the configuration can't be, and when there is a stream or a
    /// bucket of that name with other settings that can't be changed.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect_with(
        options: ConnectOptions,
        servers: impl ToServerAddrs,
        config: JetStreamConfig,
    ) -> Result<Self, ConnectError> {
        if let Some(problem) = config.problem() {
            return Err(ConnectError::Config(problem));
        }
        let (nats, driver, client) = Nats::prepare(options, servers, &config.nats).await?;
        let context = jetstream::new(client);
        let log = Log::new(context.clone(), &nats.outbox, &config);
        // A cluster of NATS that has just started may need a moment to agree on something new.
        let mut attempts = 0;
        let (seen, store) = loop {
            attempts += 1;
            let opened = log.open().await;
            let store = sessions::open(&context, &nats.outbox, &config).await;
            match (opened, store) {
                (Ok(seen), Ok(store)) => break (seen, store),
                (Err(error), _) | (_, Err(error)) if attempts == ATTEMPTS => {
                    return Err(ConnectError::JetStream(AdapterError::new(error)));
                }
                _ => sleep(PAUSE).await,
            }
        };
        let (log, sessions) = (Arc::new(log), Arc::new(Sessions::new(store)));
        let health = nats.connection.health();
        let following =
            log.clone()
                .follow(nats.outbox.downgrade(), nats.cluster.clone(), health, seen);
        let own = nats.outbox.own().into();
        let keeping = sessions
            .clone()
            .keep(nats.cluster.clone(), own, config.keep / 3);
        let evicting = sessions.clone();
        tokio::spawn(async move {
            let driver = driver.with_sessions(evicting);
            // The first two end with the driver: nobody needs them then.
            tokio::select! {
                () = driver.run() => {}
                () = keeping => {}
            }
        });
        tokio::spawn(following);
        let keeper = Keeper {
            outbox: nats.outbox.clone(),
            cluster: nats.cluster.clone(),
            log,
            sessions,
            recorder: Recorder::start(context),
        };
        let keep = config.keep;
        Ok(Self { nats, keeper, keep })
    }

    /// How many other servers are known to be there.
    pub fn servers(&self) -> usize {
        self.nats.servers()
    }
}

impl Adapter for JetStream {
    fn name(&self) -> &'static str {
        "NATS with JetStream"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let namespace: Arc<str> = opening.namespace.into();
        let keeping = opening.recovery.map(|config| {
            if config.window > self.keep {
                tracing::warn!(
                    window = ?config.window,
                    keep = ?self.keep,
                    "clients come back for as long as JetStream keeps their sessions only: make `JetStreamConfig::keep` longer than the window of the recovery"
                );
            }
            let (keeper, local) = (self.keeper.clone(), opening.local.clone());
            Keeping::new(keeper, namespace.clone(), local, config.clone())
        });
        let cluster = &self.nats.cluster;
        let number = cluster.open(namespace.clone(), opening.local);
        let way = Way::new(self.nats.outbox.clone(), namespace);
        Box::new(Line::new(way, cluster.clone(), number).with_recovery(keeping))
    }

    fn health(&self) -> Health {
        self.nats.health()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.nats.health_changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.nats.close()
    }
}

impl CanServerEmit for JetStream {}
impl CanRecover for JetStream {}

impl fmt::Debug for JetStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JetStream").field(&self.nats).finish()
    }
}
