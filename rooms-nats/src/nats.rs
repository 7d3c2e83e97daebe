use crate::{
    NatsConfig,
    channel::{Line, Way},
    cluster::Cluster,
    connection::Connection,
    driver::Driver,
    outbox::{Out, Outbox},
    subjects::Subjects,
};
use async_nats::{Client, ConnectOptions, ToServerAddrs};
use rooms_layer::{
    Adapter,
    bounds::CanServerEmit,
    rooms::adapter::{AdapterError, BoxFuture, Channel, Confirmed, Health, Opening},
};
use std::{fmt, sync::Arc};
use tokio::sync::mpsc;

/// Joins servers to a cluster through NATS. See the [crate](crate).
///
/// It is a cheap clone; a clone kept aside tells how the adapter is while the layer holds the other one. Its task ends when the
/// layer closes, or with the last clone, handle and layer.
#[derive(Clone)]
pub struct Nats {
    pub(crate) outbox: Outbox,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) connection: Arc<Connection>,
}

/// Why there is no way to the other servers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The configuration can't be.
    #[error("the configuration of the NATS adapter is wrong: {0}")]
    Config(&'static str),
    /// NATS can't be reached, or does not let us in.
    #[error("NATS can't be connected to")]
    Connect(#[from] async_nats::ConnectError),
    /// NATS does not allow what the adapter needs: to publish and subscribe to its subjects.
    #[error("NATS does not do what the adapter needs")]
    Begin(#[source] AdapterError),
    /// JetStream can't keep what is to be kept.
    #[error("JetStream does not keep what clients need that come back")]
    JetStream(#[source] AdapterError),
}

impl Nats {
    /// Connects a server: `Nats::connect("nats://localhost")`. When this returns, the other servers know of it.
    ///
    /// # Errors
    ///
    /// Fails when NATS can't be reached. Once connected, a connection that breaks is made again for as long as it takes.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect(servers: impl ToServerAddrs) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::new(), servers, NatsConfig::default()).await
    }

    /// Connects a server with options of the client: credentials, TLS. Of these, the callback for events, the interval of
    /// pings and the echo are set by the adapter, and it never stops reconnecting.
    ///
    /// # Errors
    ///
    /// Fails when NATS can't be reached, and when the configuration can't be.
    ///
    /// # Panics
    ///
    /// Panics outside a tokio runtime.
    pub async fn connect_with(
        options: ConnectOptions,
        servers: impl ToServerAddrs,
        config: NatsConfig,
    ) -> Result<Self, ConnectError> {
        let (nats, driver, _) = Self::prepare(options, servers, &config).await?;
        tokio::spawn(driver.run());
        Ok(nats)
    }

    /// Connects a server, whose task is still to be started.
    pub(crate) async fn prepare(
        options: ConnectOptions,
        servers: impl ToServerAddrs,
        config: &NatsConfig,
    ) -> Result<(Self, Driver, Client), ConnectError> {
        let (client, connection, outbox, out) = dial(options, servers, config).await?;
        let cluster = Arc::new(Cluster::default());
        let mut driver = Driver::new(
            client.clone(),
            connection.clone(),
            cluster.clone(),
            outbox.downgrade(),
            out,
            config,
        );
        driver.begin().await.map_err(ConnectError::Begin)?;
        let nats = Self {
            outbox,
            cluster,
            connection,
        };
        Ok((nats, driver, client))
    }

    /// How many other servers are known to be there.
    pub fn servers(&self) -> usize {
        self.cluster.presence().len()
    }
}

/// What everything that speaks through NATS begins with.
type Dialled = (Client, Arc<Connection>, Outbox, mpsc::Receiver<Out>);

/// Connects to NATS.
pub(crate) async fn dial(
    options: ConnectOptions,
    servers: impl ToServerAddrs,
    config: &NatsConfig,
) -> Result<Dialled, ConnectError> {
    if let Some(problem) = config.problem() {
        return Err(ConnectError::Config(problem));
    }
    let subjects = Subjects::new(&config.prefix).expect("the configuration was looked at");
    let connection = Connection::new();
    let told = connection.clone();
    let client = options
        .event_callback(move |event| {
            told.event(&event);
            std::future::ready(())
        })
        // A connection on which nothing comes back is given up after three of these.
        .ping_interval(config.heartbeat)
        .no_echo()
        .max_reconnects(None)
        .connect(servers)
        .await?;
    let (outbox, out) = Outbox::new(config, subjects, client.max_payload(), connection.health());
    Ok((client, connection, outbox, out))
}

impl Adapter for Nats {
    fn name(&self) -> &'static str {
        "NATS"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let namespace: Arc<str> = opening.namespace.into();
        let number = self.cluster.open(namespace.clone(), opening.local);
        let way = Way::new(self.outbox.clone(), namespace);
        Box::new(Line::new(way, self.cluster.clone(), number))
    }

    fn health(&self) -> Health {
        self.connection.health().borrow().clone()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.connection.health_changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.outbox.close()
    }
}

impl CanServerEmit for Nats {}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("server", &self.outbox.own())
            .field("health", &*self.connection.health().borrow())
            .field("servers", &self.servers())
            .finish_non_exhaustive()
    }
}
