//! The kinds of clusters that the cases run in.

use crate::{node::Node, server::Server, tap::Tap};
use futures_util::{FutureExt, future::LocalBoxFuture};
use rooms_tests::{
    engines::{Process, redis::Redis},
    peer::Peer,
    proxy::Proxy,
    same_process::SameProcess,
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
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
