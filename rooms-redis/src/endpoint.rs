//! Where Redis is, and how a connection to it is made.

use crate::ConnectError;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, Pipeline,
    ProtocolVersion, PushInfo, RedisConnectionInfo, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection, SendError},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{Sentinel, SentinelNodeConnectionInfo},
};
use std::{fmt, sync::Arc, time::Duration};

/// Where Redis is: one server, a master that Sentinels know, or a Cluster.
///
/// Addresses are URLs, `redis://user:password@host:6379/`. With `rediss://` the connection is encrypted; the application then
/// depends on the crate `redis` itself and turns on the feature of it that brings TLS, such as `tokio-rustls-comp`.
///
/// ```
/// use rooms_redis::Redis;
///
/// let alone = Redis::standalone("redis://127.0.0.1/")?;
/// let watched = Redis::sentinel(["redis://10.0.0.1:26379/", "redis://10.0.0.2:26379/"], "mymaster")?;
/// let sharded = Redis::cluster(["redis://10.0.0.1:7000/", "redis://10.0.0.2:7000/"])?;
/// # Ok::<(), rooms_redis::ConnectError>(())
/// ```
#[derive(Clone)]
pub struct Redis {
    place: Place,
    pub(crate) timeout: Duration,
    pub(crate) max_queued: usize,
    pub(crate) max_message: usize,
}

#[derive(Clone)]
enum Place {
    Standalone(ConnectionInfo),
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        master: String,
        login: RedisConnectionInfo,
    },
    Cluster(Vec<ConnectionInfo>),
}

/// What a Cluster is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any of its nodes: they pass on among themselves what is published.
    AnyNode,
    /// All of its nodes, each for its slots.
    Slots,
}

/// What is called with each push of a connection, in their order, on the task that reads it.
pub(crate) type OnPush = Arc<dyn Fn(PushInfo) + Send + Sync>;

impl Redis {
    /// One server.
    ///
    /// # Errors
    ///
    /// Fails if the URL is none.
    pub fn standalone(url: &str) -> Result<Self, ConnectError> {
        Ok(Self::at(Place::Standalone(address(url)?)))
    }

    /// The server that the Sentinels know under the name `master`. After a failover they are asked again.
    ///
    /// A user and password in the URLs are those of the Sentinels; see [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// Fails if a URL is none, or if there is none.
    pub fn sentinel<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        master: impl Into<String>,
    ) -> Result<Self, ConnectError> {
        Ok(Self::at(Place::Sentinel {
            sentinels: addresses(urls)?,
            master: master.into(),
            login: resp3(RedisConnectionInfo::default()),
        }))
    }

    /// A Cluster, of which some nodes are named. The others are found.
    ///
    /// # Errors
    ///
    /// Fails if a URL is none, or if there is none.
    pub fn cluster<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self, ConnectError> {
        Ok(Self::at(Place::Cluster(addresses(urls)?)))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            timeout: Duration::from_secs(5),
            max_queued: 16 * 1024 * 1024,
            max_message: 64 * 1024 * 1024,
        }
    }

    /// The user and password for the server that Sentinels name. Elsewhere they are part of the URL, and this changes nothing.
    #[must_use]
    pub fn login(mut self, user: Option<&str>, password: &str) -> Self {
        if let Place::Sentinel { login, .. } = &mut self.place {
            let mut settings = login.clone().set_password(password);
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
            *login = settings;
        }
        self
    }

    /// How long Redis may take to accept a connection, and to answer. Default 5 s. A connection that is silent is asked for a
    /// sign of life as often. Shorter finds a dead network sooner; too short gives up on a Redis that is merely busy.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes may wait to be sent to Redis. Default 16 MiB. What does not fit is refused, and whoever awaits its
    /// [`Sent`](rooms_layer::Sent) hears of it.
    #[must_use]
    pub fn max_queued_bytes(mut self, bytes: usize) -> Self {
        self.max_queued = bytes;
        self
    }

    /// How many bytes a message of another server may have. Default 64 MiB. What is longer is dropped and logged.
    #[must_use]
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message = bytes;
        self
    }

    /// Whether this is a Cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.place, Place::Cluster(_))
    }

    /// Connects. `attempt` counts failures: where there are several addresses, each attempt begins with another one.
    pub(crate) async fn connect(
        &self,
        reach: Reach,
        attempt: usize,
        on_push: Option<OnPush>,
    ) -> RedisResult<Connection> {
        match &self.place {
            Place::Standalone(address) => self.connect_to(address.clone(), on_push).await,
            Place::Sentinel {
                sentinels,
                master,
                login,
            } => {
                let node =
                    SentinelNodeConnectionInfo::default().set_redis_connection_info(login.clone());
                let mut sentinel = Sentinel::build(sentinels.clone())?;
                let find = sentinel.async_master_for(master, Some(&node));
                let client = tokio::time::timeout(self.timeout, find).await;
                let client = client.map_err(|_| timed_out("the Sentinels do not answer"))??;
                self.open(client, on_push).await
            }
            Place::Cluster(nodes) if reach == Reach::AnyNode => {
                let node = &nodes[attempt % nodes.len()];
                self.connect_to(node.clone(), on_push).await
            }
            Place::Cluster(nodes) => {
                let mut builder = ClusterClient::builder(nodes.clone())
                    .use_protocol(ProtocolVersion::RESP3)
                    .connection_timeout(self.timeout)
                    .response_timeout(self.timeout);
                builder = match on_push {
                    Some(on_push) => builder.push_sender(push_sender(on_push)),
                    // What is sent twice may arrive twice: whoever sends something decides whether it may be sent again.
                    None => builder.retries(0),
                };
                let connecting = builder.build()?;
                let connection =
                    tokio::time::timeout(self.timeout, connecting.get_async_connection());
                let connection = connection.await;
                let connection =
                    connection.map_err(|_| timed_out("the Cluster does not answer"))??;
                Ok(Connection::Slots(connection))
            }
        }
    }

    async fn connect_to(
        &self,
        address: ConnectionInfo,
        on_push: Option<OnPush>,
    ) -> RedisResult<Connection> {
        self.open(Client::open(address)?, on_push).await
    }

    async fn open(&self, client: Client, on_push: Option<OnPush>) -> RedisResult<Connection> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        if let Some(on_push) = on_push {
            config = config.set_push_sender(push_sender(on_push));
        }
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(Connection::Node(connection.await?))
    }
}

/// Passwords stay out of it.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = |nodes: &[ConnectionInfo]| {
            let nodes = nodes.iter().map(|node| node.addr().to_string());
            nodes.collect::<Vec<_>>()
        };
        let (kind, addresses) = match &self.place {
            Place::Standalone(node) => ("standalone", vec![node.addr().to_string()]),
            Place::Sentinel { sentinels, .. } => ("sentinel", addresses(sentinels)),
            Place::Cluster(nodes) => ("cluster", addresses(nodes)),
        };
        f.debug_struct("Redis")
            .field(kind, &addresses)
            .finish_non_exhaustive()
    }
}

/// A connection that several may use at once.
#[derive(Clone)]
pub(crate) enum Connection {
    Node(MultiplexedConnection),
    Slots(ClusterConnection),
}

impl Connection {
    /// Runs one command.
    pub(crate) async fn run(&mut self, command: &Cmd) -> RedisResult<Value> {
        let value = match self {
            Self::Node(node) => node.req_packed_command(command).await?,
            Self::Slots(slots) => slots.req_packed_command(command).await?,
        };
        value.extract_error()
    }

    /// Runs commands one behind the other, in one write. What Redis refused is among the values.
    pub(crate) async fn run_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        let count = commands.len();
        match self {
            Self::Node(node) => node.req_packed_commands(commands, 0, count).await,
            Self::Slots(slots) => slots.req_packed_commands(commands, 0, count).await,
        }
    }
}

fn push_sender(on_push: OnPush) -> impl Fn(PushInfo) -> Result<(), SendError> {
    move |push| {
        on_push(push);
        Ok(())
    }
}

fn timed_out(what: &'static str) -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::Io, what))
}

fn addresses<'a>(
    urls: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<ConnectionInfo>, ConnectError> {
    let addresses: Vec<_> = urls.into_iter().map(address).collect::<Result<_, _>>()?;
    match addresses.is_empty() {
        true => Err(ConnectError::NoAddress),
        false => Ok(addresses),
    }
}

/// RESP3 is what carries messages and replies in one connection; every Redis since 6 has it.
fn address(url: &str) -> Result<ConnectionInfo, ConnectError> {
    let address = url
        .into_connection_info()
        .map_err(|error| ConnectError::Url {
            cause: error.to_string(),
        })?;
    let settings = resp3(address.redis_settings().clone());
    Ok(address.set_redis_settings(settings))
}

fn resp3(settings: RedisConnectionInfo) -> RedisConnectionInfo {
    settings.set_protocol(ProtocolVersion::RESP3)
}
