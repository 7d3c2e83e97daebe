//! Where Redis is, and how a connection to it is made.

#[cfg(feature = "tls")]
mod tls;

use crate::ConnectError;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    Pipeline, ProtocolVersion, PushInfo, RedisConnectionInfo, RedisError, RedisResult, TlsMode,
    Value,
    aio::{ConnectionLike, MultiplexedConnection, SendError},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use std::{fmt, sync::Arc, time::Duration};

/// Where Redis is: one server, a master that Sentinels know, or a Cluster.
///
/// Addresses are URLs, `redis://user:password@host:6379/`. With `rediss://` connections are encrypted, for which there is the
/// feature `tls` of this crate. It trusts the authorities that the system trusts, unless it is given
#[cfg_attr(feature = "tls", doc = "[another one](Self::root_certificate).")]
#[cfg_attr(not(feature = "tls"), doc = "another one.")]
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
    #[cfg(feature = "tls")]
    certificates: tls::Certificates,
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
    /// All of it is encrypted, or none.
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
    /// Fails if the URL is none, or asks for an encryption that is not compiled in.
    pub fn standalone(url: &str) -> Result<Self, ConnectError> {
        Ok(Self::at(Place::Standalone(address(url)?)))
    }

    /// The server that the Sentinels know under the name `master`. After a failover they are asked again.
    ///
    /// A user and password in the URLs are those of the Sentinels, which all have the same; see [`login`](Self::login). Where the
    /// URLs are `rediss://`, connections to the server are encrypted too.
    ///
    /// # Errors
    ///
    /// Fails if a URL is none, if there is none, or if they differ in more than the address.
    pub fn sentinel<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        master: impl Into<String>,
    ) -> Result<Self, ConnectError> {
        let sentinels = addresses(urls)?;
        let credentials = |node: &ConnectionInfo| {
            let settings = node.redis_settings();
            let owned = |text: Option<&str>| text.map(str::to_owned);
            (owned(settings.username()), owned(settings.password()))
        };
        if sentinels
            .iter()
            .any(|node| credentials(node) != credentials(&sentinels[0]))
        {
            return Err(ConnectError::Setting {
                setting: "sentinel",
                fault: "has URLs with different users or passwords: all Sentinels have the same",
            });
        }
        Ok(Self::at(Place::Sentinel {
            sentinels,
            master: master.into(),
            login: resp3(RedisConnectionInfo::default()),
        }))
    }

    /// A Cluster, of which some nodes are named. The others are found.
    ///
    /// # Errors
    ///
    /// Fails if a URL is none, if there is none, or if some are `rediss://` and some are not.
    pub fn cluster<'a>(urls: impl IntoIterator<Item = &'a str>) -> Result<Self, ConnectError> {
        Ok(Self::at(Place::Cluster(addresses(urls)?)))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            #[cfg(feature = "tls")]
            certificates: tls::Certificates::default(),
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

    /// The addresses that were given.
    fn nodes(&self) -> &[ConnectionInfo] {
        match &self.place {
            Place::Standalone(node) => std::slice::from_ref(node),
            Place::Sentinel {
                sentinels: nodes, ..
            }
            | Place::Cluster(nodes) => nodes,
        }
    }

    /// Whether connections are encrypted: all of them, or none.
    fn is_encrypted(&self) -> bool {
        is_encrypted(&self.nodes()[0])
    }

    /// Connects. `attempt` counts failures: where there are several addresses, each attempt begins with another one.
    pub(crate) async fn connect(
        &self,
        reach: Reach,
        attempt: usize,
        on_push: Option<OnPush>,
    ) -> RedisResult<Connection> {
        #[cfg(feature = "tls")]
        if self.is_encrypted() {
            tls::choose_provider();
        }
        match &self.place {
            Place::Standalone(address) => self.connect_to(address.clone(), on_push).await,
            Place::Sentinel {
                sentinels,
                master,
                login,
            } => {
                let mut sentinels = self.sentinels(sentinels, master, login)?.build()?;
                let find = sentinels.async_get_client();
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
                #[cfg(feature = "tls")]
                if let Some(certificates) = self.certificates.given() {
                    builder = builder.certs(certificates.clone());
                }
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

    /// How the server is asked for, and connected to once it is known.
    fn sentinels(
        &self,
        sentinels: &[ConnectionInfo],
        master: &str,
        login: &RedisConnectionInfo,
    ) -> RedisResult<SentinelClientBuilder> {
        let addresses = sentinels.iter().map(|node| node.addr().clone());
        let mut builder =
            SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
                .set_client_to_redis_protocol(ProtocolVersion::RESP3);
        if let Some(user) = login.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        let settings = sentinels[0].redis_settings();
        if let Some(user) = settings.username() {
            builder = builder.set_client_to_sentinel_username(user);
        }
        if let Some(password) = settings.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if self.is_encrypted() {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        #[cfg(feature = "tls")]
        if let Some(certificates) = self.certificates.given() {
            // The addresses of the Sentinels have them already.
            builder = builder.set_client_to_redis_certificates(certificates.clone());
        }
        Ok(builder)
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
        let kind = match &self.place {
            Place::Standalone(_) => "standalone",
            Place::Sentinel { .. } => "sentinel",
            Place::Cluster(_) => "cluster",
        };
        let addresses = self.nodes().iter().map(|node| node.addr().to_string());
        let addresses: Vec<_> = addresses.collect();
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
    let Some(first) = addresses.first() else {
        return Err(ConnectError::NoAddress);
    };
    match addresses
        .iter()
        .all(|node| is_encrypted(node) == is_encrypted(first))
    {
        true => Ok(addresses),
        false => Err(ConnectError::Setting {
            setting: "urls",
            fault: "are partly `rediss://` and partly `redis://`: all connections are encrypted, or none",
        }),
    }
}

fn is_encrypted(address: &ConnectionInfo) -> bool {
    matches!(address.addr(), ConnectionAddr::TcpTls { .. })
}

/// RESP3 is what carries messages and replies in one connection; every Redis since 6 has it.
fn address(url: &str) -> Result<ConnectionInfo, ConnectError> {
    let address = url.into_connection_info();
    let address = address.map_err(|error| not_an_address(url, &error, cfg!(feature = "tls")))?;
    let settings = resp3(address.redis_settings().clone());
    Ok(address.set_redis_settings(settings))
}

/// What is wrong with a URL.
fn not_an_address(url: &str, error: &RedisError, can_encrypt: bool) -> ConnectError {
    // What can be read as soon as nothing is to be encrypted lacks nothing else.
    let plain = url.strip_prefix("rediss:");
    let plain = plain.map(|rest| format!("redis:{rest}").into_connection_info());
    match plain {
        Some(Ok(_)) if !can_encrypt => ConnectError::NoTls,
        _ => ConnectError::Url {
            cause: error.to_string(),
        },
    }
}

fn resp3(settings: RedisConnectionInfo) -> RedisConnectionInfo {
    settings.set_protocol(ProtocolVersion::RESP3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_address_names_the_feature_that_is_missing() {
        let said = RedisError::from((redis::ErrorKind::InvalidClientConfig, "not a URL"));
        let explained = |url, can| not_an_address(url, &said, can).to_string();
        let error = explained("rediss://127.0.0.1/", false);
        assert!(error.contains(r#"features = ["tls"]"#), "{error}");
        for (url, can) in [("rediss://127.0.0.1/", true), ("rediss://", false)] {
            let error = explained(url, can);
            assert!(error.contains("not a URL"), "{error}");
        }
        // As the crate redis sees it.
        let made = Redis::standalone("rediss://127.0.0.1/");
        let is_missing = matches!(made, Err(ConnectError::NoTls));
        assert_eq!(is_missing, cfg!(not(feature = "tls")));
    }

    #[test]
    fn what_several_addresses_must_have_in_common_is_told() {
        let differ = Redis::sentinel(["redis://a:b@h/", "redis://a:c@h/"], "mymaster");
        let error = differ.expect_err("they differ").to_string();
        assert!(error.contains("different users or passwords"), "{error}");
        Redis::sentinel(["redis://a:b@h/", "redis://a:b@i/"], "mymaster").expect("they do not");
        let none = Redis::cluster([]).expect_err("none");
        assert!(matches!(none, ConnectError::NoAddress), "{none}");
        #[cfg(feature = "tls")]
        {
            let mixed = Redis::cluster(["redis://h/", "rediss://h/"]);
            let error = mixed.expect_err("they differ").to_string();
            assert!(error.contains("partly `rediss://`"), "{error}");
        }
    }
}
