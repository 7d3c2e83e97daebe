//! `rooms-redis` with real servers of Redis: what the suite of all clusters (`tests/suites/adapters`) does not ask of every adapter.

mod clusters;
mod emitters;
mod faults;
mod recovery;
mod streams;

use rooms_layer::{
    Adapter,
    prelude::*,
    rooms::adapter::{BoxFuture, Channel, Confirmed, Health, Opening},
    test::Client,
};
use rooms_redis::{Classic, Redis, Sharded, Streams};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long anything that must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What clients hear.
#[derive(Event, Debug, PartialEq, Serialize, Deserialize)]
#[event(name = "said", server, broadcast, to(dynamic))]
struct Said(u32);

/// What tells that everything before was heard.
#[derive(Event, Debug, PartialEq, Serialize, Deserialize)]
#[event(name = "over", server, broadcast)]
struct Over;

/// How servers are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Classic,
    Sharded,
    Streams,
}

const MODES: [Mode; 3] = [Mode::Classic, Mode::Sharded, Mode::Streams];

/// One of our servers.
struct Server {
    rooms: RoomsLayer<Shared>,
    adapter: Shared,
}

/// An adapter that the test holds too, to see how it is.
#[derive(Clone)]
struct Shared(Arc<dyn Adapter>);

impl Adapter for Shared {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        self.0.open(opening)
    }

    fn health(&self) -> Health {
        self.0.health()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.0.health_changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.0.close()
    }
}

impl Server {
    async fn start(mode: Mode, redis: Redis) -> Self {
        let unreachable = "Redis is there";
        let adapter: Arc<dyn Adapter> = match mode {
            Mode::Classic => Arc::new(Classic::connect(redis).await.expect(unreachable)),
            Mode::Sharded => Arc::new(Sharded::connect(redis).await.expect(unreachable)),
            Mode::Streams => Arc::new(Streams::connect(redis).await.expect(unreachable)),
        };
        Self::with(Shared(adapter))
    }

    fn with(adapter: Shared) -> Self {
        let rooms = RoomsLayer::with_adapter(adapter.clone());
        Self { rooms, adapter }
    }

    fn io(&self) -> Io<Main> {
        self.rooms.io::<Main>()
    }

    /// A client in no room but its own.
    async fn rooms_client(&self) -> Client<Main> {
        Client::connect(&self.rooms, ())
            .await
            .expect("it is let in")
    }

    /// A client in a room that the others know of.
    async fn client_in(&self, room: &str) -> Client<Main> {
        let client = self.rooms_client().await;
        let joined = client.server_socket().join(DynRoom(room.to_owned()));
        timeout(PATIENCE, joined)
            .await
            .expect("in time")
            .expect("it is confirmed");
        client
    }

    /// Waits until the adapter is as it should be.
    async fn is(&self, wanted: impl Fn(&Health) -> bool) {
        let changes = async {
            let mut health = self.adapter.health();
            while !wanted(&health) {
                health = self.adapter.health_changed(health).await;
            }
        };
        timeout(PATIENCE, changes)
            .await
            .expect("the health changes in time");
    }
}

/// Emits to a room until a client hears it: servers need a while to hear each other again.
async fn hears(from: &Io<Main>, room: &str, client: &mut Client<Main>) {
    let heard = async {
        loop {
            // Refused while Redis is away.
            let _ = from.to(DynRoom(room.to_owned())).emit(Said(0));
            let next = client.until::<Said>();
            if timeout(Duration::from_millis(100), next).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, heard).await.expect("it is heard in time");
}

fn url(address: std::net::SocketAddr) -> String {
    format!("redis://{address}/")
}
