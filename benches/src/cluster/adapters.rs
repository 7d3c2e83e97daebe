//! The adapters, ours and Node's.

use crate::servers::{self, Error, Server};

/// A way of joining servers.
#[derive(Debug)]
pub struct Adapter {
    /// What the table calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What `--adapter` of the server is.
    adapter: &'static str,
    /// Clients may come back.
    recovery: bool,
    pub(super) engine: Option<Kind>,
    pub(super) promise: Deliveries,
}

/// A kind of engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Redis,
    Nats,
}

/// What is promised of the engine's deliveries of a broadcast to one room.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deliveries {
    /// Nothing.
    Unknown,
    /// One to each server with members.
    ToMembers,
    /// One to each other server with members: the engine does not bring a server its own.
    ToOtherMembers,
}

use Deliveries::{ToMembers, ToOtherMembers, Unknown};

/// Names of Node's begin with it, and end as ours do.
const NODE: &str = "node-";

impl Adapter {
    const fn new(
        name: &'static str,
        about: &'static str,
        adapter: &'static str,
        engine: Option<Kind>,
    ) -> Adapter {
        Adapter {
            name,
            about,
            adapter,
            recovery: false,
            engine,
            promise: Unknown,
        }
    }

    const fn recovery(self) -> Adapter {
        let recovery = true;
        Adapter { recovery, ..self }
    }

    const fn promises(self, promise: Deliveries) -> Adapter {
        Adapter { promise, ..self }
    }

    /// The server that has it.
    ///
    /// # Errors
    /// When there is none.
    pub fn server(&self) -> Result<&'static Server, Error> {
        match self.name.starts_with(NODE) {
            true => servers::find("node"),
            false => Ok(&servers::MEMBER),
        }
    }

    /// What the server is told, the engine excepted.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &'static str> {
        let recovery = self.recovery.then_some("--recovery");
        ["--adapter", self.adapter].into_iter().chain(recovery)
    }
}

/// The same adapter of Node's; of one of Node's itself.
pub fn node(name: &str) -> String {
    format!("{NODE}{}", name.trim_start_matches(NODE))
}

/// Every adapter, and Node's behind ours.
pub const ADAPTERS: &[Adapter] = &[
    Adapter::new("memory", "ours, alone", "memory", None),
    Adapter::new("node-memory", "Node, alone", "memory", None),
    Adapter::new(
        "classic",
        "rooms_redis::Classic",
        "classic",
        Some(Kind::Redis),
    ),
    Adapter::new(
        "node-classic",
        "createAdapter of @socket.io/redis-adapter",
        "classic",
        Some(Kind::Redis),
    ),
    Adapter::new(
        "sharded",
        "rooms_redis::Sharded",
        "sharded",
        Some(Kind::Redis),
    )
    .promises(ToMembers),
    Adapter::new(
        "node-sharded",
        "createShardedAdapter of @socket.io/redis-adapter",
        "sharded",
        Some(Kind::Redis),
    ),
    Adapter::new(
        "streams",
        "rooms_redis::Streams",
        "streams",
        Some(Kind::Redis),
    ),
    Adapter::new(
        "node-streams",
        "@socket.io/redis-streams-adapter",
        "streams",
        Some(Kind::Redis),
    ),
    Adapter::new(
        "streams-recovery",
        "rooms_redis::Streams, with recovery",
        "streams",
        Some(Kind::Redis),
    )
    .recovery(),
    Adapter::new(
        "node-streams-recovery",
        "@socket.io/redis-streams-adapter, with recovery",
        "streams",
        Some(Kind::Redis),
    )
    .recovery(),
    Adapter::new("nats", "rooms_nats::Nats", "nats", Some(Kind::Nats)).promises(ToOtherMembers),
    Adapter::new(
        "jetstream-recovery",
        "rooms_nats::JetStream, with recovery",
        "jetstream",
        Some(Kind::Nats),
    )
    .recovery(),
];

/// The adapter of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Adapter, String> {
    ADAPTERS
        .iter()
        .find(|adapter| adapter.name == name)
        .ok_or_else(|| format!("no adapter is called {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_adapters_stand_behind_ours() {
        for (index, adapter) in ADAPTERS.iter().enumerate() {
            if let Some(name) = adapter.name.strip_prefix(NODE) {
                let ours = &ADAPTERS[index - 1];
                assert_eq!(ours.name, name);
                assert_eq!(node(name), adapter.name);
                assert_eq!(node(adapter.name), adapter.name);
                let arguments = |of: &Adapter| of.arguments().collect::<Vec<_>>();
                assert_eq!(arguments(ours), arguments(adapter));
            }
            assert!(adapter.server().is_ok());
        }
    }
}
