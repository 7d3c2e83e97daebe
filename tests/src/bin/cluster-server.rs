//! A server of a cluster, made to be killed: `cluster-server ADAPTER URL PORT`. It listens once its adapter is connected.
//!
//! Clients of `/` enter and leave rooms, and hear `tick(publisher, room, number)`. Clients of `/control` have it publish such ticks.

use axum::Router;
use rooms_layer::{Adapter, Config, RecoveryConfig, prelude::*};
use rooms_nats::{JetStream, Nats};
use rooms_redis::{Classic, Redis, Sharded, Streams, StreamsConfig};
use serde::{Deserialize, Serialize};
use std::{env, error::Error, time::Duration};

/// A number of a publisher, to a room or (with an empty name) to everybody.
#[derive(Event)]
#[event(server, broadcast, to(dynamic))]
struct Tick(String, String, u64);

/// Is answered when the others know of it.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Join(String);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Leave(String);

/// Publishes a run of numbers, and is answered with whether the engine has taken all of them.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Publish {
    publisher: String,
    room: String,
    first: u64,
    count: u64,
}

#[derive(Namespace)]
#[namespace(path = "/control", state = Io<Main>, client(Publish))]
struct Control;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [adapter, url, port] = arguments.as_slice() else {
        return Err("give an adapter, the URL of its engine, and a port".into());
    };
    let recovery = RecoveryConfig::default().window(Duration::from_secs(120));
    let app = match adapter.as_str() {
        "classic" => app(RoomsLayer::with_adapter(
            Classic::connect(Redis::standalone(url)?).await?,
        )),
        "sharded" => app(RoomsLayer::with_adapter(
            Sharded::connect(Redis::standalone(url)?).await?,
        )),
        "streams" => {
            let streams = Streams::connect_with(Redis::standalone(url)?, streams_config()).await?;
            app(RoomsLayer::with_adapter(streams).recovery(recovery))
        }
        "nats" => app(RoomsLayer::with_adapter(Nats::connect(url.as_str()).await?)),
        "jetstream" => {
            let jetstream = JetStream::connect(url.as_str()).await?;
            app(RoomsLayer::with_adapter(jetstream).recovery(recovery))
        }
        other => return Err(format!("there is no adapter {other}").into()),
    };
    let port: u16 = port.parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A server that is behind on a busy machine must find what it has not read yet. Node's has the same.
fn streams_config() -> StreamsConfig {
    let mut config = StreamsConfig::default();
    config.max_len = 100_000;
    config
}

fn app<A: Adapter>(rooms: RoomsLayer<A>) -> Router {
    // A client that is behind on a busy machine is waited for: what is lost here would be no fault of the cluster's.
    let config = Config::default().max_queued_packets(100_000);
    let rooms = rooms
        .config(config)
        .on(async |socket: Socket<Main>, Join(room): Join| socket.join(DynRoom(room)).await.is_ok())
        .on(async |socket: Socket<Main>, Leave(room): Leave| {
            socket.leave(DynRoom(room)).await.is_ok()
        });
    let control = Control::serve(rooms.io::<Main>()).on(publish);
    Router::new().layer(rooms.namespace(control))
}

async fn publish(State(io): State<Io<Main>>, run: Publish) -> bool {
    let mut sent = Vec::new();
    for number in run.first..run.first + run.count {
        let tick = Tick(run.publisher.clone(), run.room.clone(), number);
        let emitted = match run.room.as_str() {
            "" => io.emit(tick),
            room => io.to(DynRoom(room.to_owned())).emit(tick),
        };
        sent.push(emitted);
    }
    for sent in sent {
        let Ok(sent) = sent else { return false };
        if sent.await.is_err() {
            return false;
        }
    }
    true
}
