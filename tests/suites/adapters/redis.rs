//! Clusters that are joined by `rooms-redis`, of our servers alone and together with Node's.

use crate::{
    rigs::{Need, Rig, node_server},
    server::Server,
    tap::Tap,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use rooms_layer::{Adapter, rooms::adapter::RecoveryConfig};
use rooms_redis::{Classic, ClassicConfig, Redis, Sharded, ShardedConfig, Streams, StreamsConfig};
use rooms_tests::{engines, peer::Peer, proxy::Proxy};
use std::sync::Arc;

/// How Redis is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Classic,
    Sharded,
    Streams,
}

/// Servers that are joined by one Redis.
pub(crate) struct OverRedis {
    name: &'static str,
    mode: Mode,
    /// Every second server is Node's.
    is_mixed: bool,
    redis: Arc<engines::redis::Redis>,
    peer: Arc<Peer>,
}

impl OverRedis {
    pub(crate) fn ours(
        name: &'static str,
        mode: Mode,
        redis: &Arc<engines::redis::Redis>,
        peer: &Arc<Peer>,
    ) -> Self {
        Self {
            name,
            mode,
            is_mixed: false,
            redis: redis.clone(),
            peer: peer.clone(),
        }
    }

    pub(crate) fn mixed(
        name: &'static str,
        mode: Mode,
        redis: &Arc<engines::redis::Redis>,
        peer: &Arc<Peer>,
    ) -> Self {
        Self {
            is_mixed: true,
            ..Self::ours(name, mode, redis, peer)
        }
    }
}

impl Rig for OverRedis {
    fn name(&self) -> &'static str {
        self.name
    }

    fn server<'a>(&'a self, cluster: &'a str, number: usize) -> LocalBoxFuture<'a, Server> {
        async move {
            // They share a Redis, and their channels have the same names.
            let prefix = self.prefix(cluster);
            if self.is_mixed && number % 2 == 1 {
                let kind = match self.mode {
                    Mode::Classic => "classic",
                    Mode::Sharded => "sharded",
                    Mode::Streams => "streams",
                };
                return node_server(&self.peer, kind, &self.redis, &prefix).await;
            }
            let network = Proxy::start(self.redis.address()).await;
            let redis = Redis::standalone(&format!("redis://{}/", network.address()));
            let redis = redis.expect("it is a URL");
            let adapter = connect(self.mode, redis, &prefix).await;
            let recovery = self.keeps_sessions().then(RecoveryConfig::default);
            let tap = Tap::new(adapter, "from ours");
            Server::ours_with(tap, Some(network), recovery)
        }
        .boxed_local()
    }

    fn lacks(&self, need: Need) -> Option<&'static str> {
        let lacks = need == Need::Recovery && !self.keeps_sessions();
        lacks.then_some("it keeps no sessions everywhere")
    }
}

impl OverRedis {
    fn prefix(&self, cluster: &str) -> String {
        format!("{cluster}-ours-{}", self.name.replace([',', ' '], "-"))
    }

    /// Node's servers are started without.
    fn keeps_sessions(&self) -> bool {
        self.mode == Mode::Streams && !self.is_mixed
    }
}

async fn connect(mode: Mode, redis: Redis, prefix: &str) -> Arc<dyn Adapter> {
    match mode {
        Mode::Classic => {
            let mut config = ClassicConfig::default();
            config.prefix = prefix.to_owned();
            let adapter = Classic::connect_with(redis, config).await;
            Arc::new(adapter.expect("Redis is there"))
        }
        Mode::Sharded => {
            let mut config = ShardedConfig::default();
            config.prefix = prefix.to_owned();
            let adapter = Sharded::connect_with(redis, config).await;
            Arc::new(adapter.expect("Redis is there"))
        }
        Mode::Streams => {
            let mut config = StreamsConfig::default();
            config.stream = prefix.to_owned();
            config.channel_prefix = prefix.to_owned();
            let adapter = Streams::connect_with(redis, config).await;
            Arc::new(adapter.expect("Redis is there"))
        }
    }
}
