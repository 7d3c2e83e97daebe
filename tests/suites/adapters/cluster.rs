//! Several servers that are joined, as one case sees them.

use crate::{
    client::{Client, PATIENCE},
    rigs::{Engine, Rig},
    server::Server,
};
use rooms_layer::{rooms::Selection, wire::Value};
use std::{collections::BTreeSet, ops::Deref, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How many servers a case has.
pub(crate) const SERVERS: usize = 3;

/// The servers of one case.
pub(crate) struct Cluster {
    servers: Vec<Server>,
    pub(crate) name: String,
    engine: Option<Arc<dyn Engine>>,
}

impl Deref for Cluster {
    type Target = [Server];

    fn deref(&self) -> &[Server] {
        &self.servers
    }
}

impl Cluster {
    /// Starts the servers, and waits until each hears all others.
    pub(crate) async fn start(rig: &dyn Rig, name: &str) -> Self {
        let mut servers = Vec::new();
        for number in 0..SERVERS {
            servers.push(rig.server(name, number).await);
        }
        let cluster = Self {
            servers,
            name: name.to_owned(),
            engine: rig.engine(),
        };
        cluster.warm().await;
        cluster
    }

    /// What the servers talk through, which only cases that break it may have.
    pub(crate) fn engine(&self) -> &dyn Engine {
        let engine = self.engine.as_deref();
        engine.expect("there is one server of the engine")
    }

    async fn warm(&self) {
        let mut clients = self.client_of_each("/").await;
        for client in &mut clients {
            let mut silent: BTreeSet<_> = (0..SERVERS).map(|number| number.to_string()).collect();
            let begun = Instant::now();
            while !silent.is_empty() {
                assert!(
                    begun.elapsed() < PATIENCE,
                    "servers are not heard: {silent:?}"
                );
                for (number, server) in self.iter().enumerate() {
                    server.warm(number).await;
                }
                while let Ok((_, arguments)) =
                    timeout(Duration::from_millis(50), client.event()).await
                {
                    if let Some(Value::String(number)) = arguments.first() {
                        silent.remove(number);
                    }
                    if silent.is_empty() {
                        break;
                    }
                }
            }
        }
        // Nobody may count these.
        let ids: Vec<_> = clients
            .iter()
            .map(|client| client.id().to_string())
            .collect();
        drop(clients);
        eventually("the first clients are gone", async || {
            let found = self[0]
                .fetch(&Selection::of(ids.iter().map(String::as_str)))
                .await;
            found.is_empty()
        })
        .await;
    }

    /// A client on each server.
    pub(crate) async fn client_of_each(&self, namespace: &str) -> Vec<Client> {
        let mut clients = Vec::new();
        for server in self.iter() {
            clients.push(server.client(namespace).await);
        }
        clients
    }
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "it never came to be that {what}"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

/// The sockets in any of these rooms.
pub(crate) fn to(rooms: &[&str]) -> Selection {
    Selection::of(rooms.iter().copied())
}

/// Every socket.
pub(crate) fn all() -> Selection {
    Selection::everybody()
}

/// What each client hears of what `from` has emitted until now.
pub(crate) async fn heard_from(from: &Server, clients: &mut [Client]) -> Vec<Vec<Value>> {
    from.emit(&all(), "end").await;
    let mut heard = Vec::new();
    for client in clients {
        heard.push(client.heard().await);
    }
    heard
}
