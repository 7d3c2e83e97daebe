//! The kinds of clusters that the cases run in.

use crate::{
    cluster::{SERVERS, eventually},
    same_process::SameProcess,
    server::{Node, Server},
    tap::Tap,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use rooms_layer::{Adapter, rooms::adapter::RecoveryConfig};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig};
use rooms_tests::{
    engines::{Process, nats::Nats, redis::Redis},
    peer::Peer,
    proxy::Proxy,
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How servers are joined to a cluster: a column of the table.
pub(crate) trait Rig: Send + Sync {
    /// Names the column.
    fn name(&self) -> &'static str;

    /// Starts one more server of a cluster. Clusters of different names do not hear of each other.
    fn server<'a>(&'a self, cluster: &'a str, number: usize) -> LocalBoxFuture<'a, Server>;

    /// What can be done to the engine; only in clusters that have one for themselves.
    fn engine(&self) -> Option<Arc<dyn Engine>> {
        None
    }

    /// Why it can't have what a case needs; `None` if it can.
    fn lacks(&self, need: Need) -> Option<&'static str>;
}

/// What servers of a cluster talk through, to be broken.
pub(crate) trait Engine {
    /// The program.
    fn process(&self) -> &Process;

    /// Waits until it works.
    fn ready(&self) -> LocalBoxFuture<'_, ()>;

    /// Publishes something that is no message, wherever servers of a cluster listen.
    fn forge<'a>(&'a self, cluster: &'a str, bytes: &'a [u8]) -> LocalBoxFuture<'a, ()>;
}

/// What not every cluster can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Counting sockets and naming rooms, without fetching.
    Counts,
    /// Knowing how many servers are missing.
    Missing,
    /// A network between the servers, so that one of them can vanish.
    Network,
    /// Clients that come back.
    Recovery,
    /// Room names that look like the id of a socket.
    AnyName,
}

/// Servers of one process, without an engine.
#[derive(Default)]
pub(crate) struct Memory {
    clusters: Mutex<HashMap<String, SameProcess>>,
}

impl Rig for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn server<'a>(&'a self, cluster: &'a str, number: usize) -> LocalBoxFuture<'a, Server> {
        let mut clusters = self.clusters.lock().expect("nobody panics");
        let first = clusters.entry(cluster.to_owned()).or_default();
        let tap = Tap::new(Arc::new(first.another(number)), "from ours");
        async { Server::ours(tap, None) }.boxed_local()
    }

    fn lacks(&self, need: Need) -> Option<&'static str> {
        match need {
            Need::Network => Some("its servers live and die together"),
            Need::Recovery => Some("it keeps no sessions"),
            _ => None,
        }
    }
}

/// Servers of ours, joined through NATS, each by a connection of its own.
pub(crate) struct ThroughNats {
    name: &'static str,
    /// The servers of NATS, to which ours connect in turn.
    engines: Vec<Arc<Nats>>,
    /// With JetStream, clients may come back.
    jetstream: bool,
    clusters: Mutex<HashMap<String, Vec<Joined>>>,
}

/// What one server is joined by.
#[derive(Clone)]
enum Joined {
    Nats(rooms_nats::Nats),
    JetStream(JetStream),
}

impl Joined {
    fn servers(&self) -> usize {
        match self {
            Self::Nats(nats) => nats.servers(),
            Self::JetStream(nats) => nats.servers(),
        }
    }

    fn into_adapter(self) -> Arc<dyn Adapter> {
        match self {
            Self::Nats(nats) => Arc::new(nats),
            Self::JetStream(nats) => Arc::new(nats),
        }
    }
}

impl ThroughNats {
    pub(crate) fn new(name: &'static str, engines: Vec<Nats>) -> Self {
        Self {
            name,
            engines: engines.into_iter().map(Arc::new).collect(),
            jetstream: false,
            clusters: Mutex::default(),
        }
    }

    pub(crate) fn with_jetstream(mut self) -> Self {
        self.jetstream = true;
        self
    }

    async fn join(&self, cluster: &str, network: &Proxy) -> Joined {
        // The others are told of by NATS too, and those would go past the proxy.
        let options = ConnectOptions::new().ignore_discovered_servers();
        let server = format!("nats://{}", network.address());
        let mut config = JetStreamConfig::default();
        config.nats.prefix = format!("test.{cluster}");
        // Tests have no time to wait for a server that is gone.
        config.nats.heartbeat = Duration::from_millis(300);
        config.nats.silence = Duration::from_secs(3);
        // There are as many logs as cases.
        config.max_bytes = 8 * 1024 * 1024;
        config.replicas = self.engines.len();
        match self.jetstream {
            false => {
                let nats = rooms_nats::Nats::connect_with(options, server, config.nats).await;
                Joined::Nats(nats.expect("NATS is there"))
            }
            true => {
                let nats = JetStream::connect_with(options, server, config).await;
                Joined::JetStream(nats.expect("JetStream is there"))
            }
        }
    }
}

impl Rig for ThroughNats {
    fn name(&self) -> &'static str {
        self.name
    }

    fn server<'a>(&'a self, cluster: &'a str, number: usize) -> LocalBoxFuture<'a, Server> {
        async move {
            let engine = &self.engines[number % self.engines.len()];
            let network = Proxy::start(engine.address()).await;
            let joined = self.join(cluster, &network).await;
            let mut all = {
                let mut clusters = self.clusters.lock().expect("nobody panics");
                clusters.remove(cluster).unwrap_or_default()
            };
            all.push(joined.clone());
            eventually("all know of each other", async || {
                all.iter().all(|one| one.servers() == all.len() - 1)
            })
            .await;
            let mut clusters = self.clusters.lock().expect("nobody panics");
            if all.len() < SERVERS {
                clusters.insert(cluster.to_owned(), all);
            }
            let tap = Tap::new(joined.into_adapter(), "from ours");
            let recovery = self.jetstream.then(RecoveryConfig::default);
            Server::ours_with(tap, Some(network), recovery)
        }
        .boxed_local()
    }

    fn engine(&self) -> Option<Arc<dyn Engine>> {
        match &self.engines[..] {
            [engine] => Some(engine.clone()),
            _ => None,
        }
    }

    fn lacks(&self, need: Need) -> Option<&'static str> {
        let lacks = need == Need::Recovery && !self.jetstream;
        lacks.then_some("it keeps no sessions")
    }
}

impl Engine for Nats {
    fn process(&self) -> &Process {
        self.process()
    }

    fn ready(&self) -> LocalBoxFuture<'_, ()> {
        self.ready().boxed_local()
    }

    fn forge<'a>(&'a self, cluster: &'a str, bytes: &'a [u8]) -> LocalBoxFuture<'a, ()> {
        async move {
            let client = async_nats::connect(self.url()).await.expect("it is there");
            for end in ["servers", "all./", "room./.a", "log./"] {
                let subject = format!("test.{cluster}.1.{end}");
                let published = client.publish(subject, bytes.to_vec().into()).await;
                published.expect("it is short");
            }
            client.flush().await.expect("it is there");
        }
        .boxed_local()
    }
}

/// Servers of Node's alone. They show that the cases describe Socket.IO, and not us.
pub(crate) struct NodeOnly {
    name: &'static str,
    adapter: &'static str,
    redis: Arc<Redis>,
    peer: Arc<Peer>,
}

impl NodeOnly {
    pub(crate) fn new(
        name: &'static str,
        adapter: &'static str,
        redis: &Arc<Redis>,
        peer: &Arc<Peer>,
    ) -> Self {
        Self {
            name,
            adapter,
            redis: redis.clone(),
            peer: peer.clone(),
        }
    }
}

impl Rig for NodeOnly {
    fn name(&self) -> &'static str {
        self.name
    }

    fn server<'a>(&'a self, cluster: &'a str, _number: usize) -> LocalBoxFuture<'a, Server> {
        async move {
            // They share a Redis, and their channels have the same names.
            let prefix = format!("{cluster}-{}", self.adapter);
            node_server(&self.peer, self.adapter, &self.redis, &prefix).await
        }
        .boxed_local()
    }

    fn lacks(&self, need: Need) -> Option<&'static str> {
        match need {
            Need::Counts => Some("Node fetches instead"),
            Need::Missing | Need::Network => Some("Node does not tell"),
            Need::Recovery => Some("Node loses what is sent meanwhile"),
            Need::AnyName => None,
        }
    }
}

/// Starts a server of Node's behind a proxy to Redis.
pub(crate) async fn node_server(
    peer: &Arc<Peer>,
    adapter: &str,
    redis: &Redis,
    prefix: &str,
) -> Server {
    let network = Proxy::start(redis.address()).await;
    let port = network.address().port();
    let parameters = json!({ "adapter": adapter, "redis": port, "prefix": prefix });
    let opened = peer.call("open", parameters).await;
    let node = Node {
        peer: peer.clone(),
        number: opened["server"].as_u64().expect("a number"),
        port: serde_json::from_value(opened["port"].clone()).expect("a port"),
    };
    Server::node(node, Some(network))
}
