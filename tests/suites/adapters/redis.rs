//! Clusters that are joined by `rooms-redis`, of our servers alone and together with Node's.

use crate::{
    rigs::{Engine, Need, Rig, node_server},
    server::Server,
    tap::Tap,
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use rooms_layer::{Adapter, rooms::adapter::RecoveryConfig};
use rooms_redis::{Classic, ClassicConfig, Redis, Sharded, ShardedConfig, Streams, StreamsConfig};
use rooms_tests::{
    engines::{self, Process},
    peer::Peer,
    proxy::Proxy,
};
use std::{sync::Arc, time::Duration};

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
    /// Nobody else has this Redis, so that it may be broken.
    is_alone: bool,
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
            is_alone: false,
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

    /// With a Redis for itself, which keeps on its disk what it has.
    pub(crate) async fn alone(name: &'static str, mode: Mode, peer: &Arc<Peer>) -> Self {
        let redis = engines::redis::Redis::start_with(&["--appendonly", "yes"]).await;
        Self {
            is_alone: true,
            ..Self::ours(name, mode, &Arc::new(redis), peer)
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
            let prefix = prefix(self.name, cluster);
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
            let mut redis = redis.expect("it is a URL");
            if self.is_alone {
                // Tests have no time to wait for a Redis that is gone.
                redis = redis.timeout(Duration::from_secs(1));
            }
            let adapter = connect(self.mode, redis, &prefix).await;
            let recovery = self.keeps_sessions().then(RecoveryConfig::default);
            let tap = Tap::new(adapter, "from ours");
            Server::ours_with(tap, Some(network), recovery)
        }
        .boxed_local()
    }

    fn engine(&self) -> Option<Arc<dyn Engine>> {
        let engine = || -> Arc<dyn Engine> {
            Arc::new(Alone {
                rig: self.name,
                mode: self.mode,
                redis: self.redis.clone(),
            })
        };
        self.is_alone.then(engine)
    }

    fn lacks(&self, need: Need) -> Option<&'static str> {
        let lacks = need == Need::Recovery && !self.keeps_sessions();
        lacks.then_some("it keeps no sessions everywhere")
    }
}

impl OverRedis {
    /// Node's servers are started without.
    fn keeps_sessions(&self) -> bool {
        self.mode == Mode::Streams && !self.is_mixed
    }
}

/// What the names of a cluster begin with.
fn prefix(rig: &str, cluster: &str) -> String {
    format!("{cluster}-ours-{}", rig.replace([',', ' '], "-"))
}

/// A Redis that one rig has for itself.
struct Alone {
    rig: &'static str,
    mode: Mode,
    redis: Arc<engines::redis::Redis>,
}

impl Engine for Alone {
    fn process(&self) -> &Process {
        self.redis.process()
    }

    fn ready(&self) -> LocalBoxFuture<'_, ()> {
        self.redis.ready().boxed_local()
    }

    fn forge<'a>(&'a self, cluster: &'a str, bytes: &'a [u8]) -> LocalBoxFuture<'a, ()> {
        async move {
            let prefix = prefix(self.rig, cluster);
            let (verb, channels): (&str, &[&str]) = match self.mode {
                Mode::Classic => ("PUBLISH", &["#/#", "#/#a#", "-request#/#", "-response#/#"]),
                Mode::Sharded => ("SPUBLISH", &["#/#", "#/#a#"]),
                Mode::Streams => ("PUBLISH", &["#/#"]),
            };
            for channel in channels {
                let channel = format!("{prefix}{channel}");
                let command = [verb.as_bytes(), channel.as_bytes(), bytes];
                self.redis.command(&command).await;
            }
            if self.mode == Mode::Streams {
                let stream = prefix.as_bytes();
                let entries: [&[&[u8]]; 4] = [
                    &[b"nsp", b"/", b"type", b"3", b"data", bytes],
                    &[b"nsp", b"/", b"uid", b"x", b"type", bytes],
                    &[b"nsp", bytes],
                    &[bytes, bytes],
                ];
                for fields in entries {
                    let add: [&[u8]; 3] = [b"XADD", stream, b"*"];
                    self.redis.command(&[&add, fields].concat()).await;
                }
            }
        }
        .boxed_local()
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
