//! Clusters through NATS.

use crate::{
    cluster::{SERVERS, eventually},
    rigs::{Engine, Need, Rig},
    server::Server,
    tap::Tap,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use rooms_layer::{Adapter, rooms::adapter::RecoveryConfig};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig};
use rooms_tests::{
    engines::{Process, nats::Nats},
    proxy::Proxy,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

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
