//! A server of a cluster, made to be killed: `cluster-server ADAPTER URL PORT`. It listens once its adapter is connected, and ends in
//! order when it is told to (SIGTERM).
//!
//! `ROOMS_SILENCE_MILLIS` is how long its engine and other servers may be silent, where that is not what the adapter thinks.
//!
//! `ROOMS_WRONG` is what it does wrong, to show that it is found out: `lose`, `double` or `swap` some of what is published.
//!
//! Clients of `/` enter and leave rooms, and hear `tick(publisher, room, number)`. Clients of `/control` have it publish such ticks.

use axum::Router;
use rooms_layer::{Adapter, Config, RecoveryConfig, prelude::*};
use rooms_nats::{ConnectOptions, JetStream, JetStreamConfig, Nats, NatsConfig};
use rooms_redis::{Classic, Redis, Sharded, Streams, StreamsConfig};
use serde::{Deserialize, Serialize};
use std::{env, error::Error, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

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
    let silence = silence()?;
    let redis = || {
        let redis = Redis::standalone(url)?;
        Ok::<_, rooms_redis::ConnectError>(match silence {
            Some(silence) => redis.timeout(silence),
            None => redis,
        })
    };
    let port: u16 = port.parse()?;
    match adapter.as_str() {
        "classic" => {
            serve(
                RoomsLayer::with_adapter(Classic::connect(redis()?).await?),
                port,
            )
            .await
        }
        "sharded" => {
            serve(
                RoomsLayer::with_adapter(Sharded::connect(redis()?).await?),
                port,
            )
            .await
        }
        "streams" => {
            let streams = Streams::connect_with(redis()?, streams_config()).await?;
            serve(RoomsLayer::with_adapter(streams).recovery(recovery), port).await
        }
        "nats" => {
            let config = nats_config(silence);
            let nats = Nats::connect_with(ConnectOptions::new(), url.as_str(), config).await?;
            serve(RoomsLayer::with_adapter(nats), port).await
        }
        "jetstream" => {
            let mut config = JetStreamConfig::default();
            config.nats = nats_config(silence);
            let jetstream =
                JetStream::connect_with(ConnectOptions::new(), url.as_str(), config).await?;
            serve(RoomsLayer::with_adapter(jetstream).recovery(recovery), port).await
        }
        other => Err(format!("there is no adapter {other}").into()),
    }
}

fn silence() -> Result<Option<Duration>, Box<dyn Error>> {
    let Ok(millis) = env::var("ROOMS_SILENCE_MILLIS") else {
        return Ok(None);
    };
    Ok(Some(Duration::from_millis(millis.parse()?)))
}

/// A server that is behind on a busy machine must find what it has not read yet. Node's has the same.
fn streams_config() -> StreamsConfig {
    let mut config = StreamsConfig::default();
    config.max_len = 100_000;
    config
}

fn nats_config(silence: Option<Duration>) -> NatsConfig {
    let mut config = NatsConfig::default();
    if let Some(silence) = silence {
        (config.heartbeat, config.silence) = (silence / 3, silence);
    }
    config
}

async fn serve<A: Adapter>(rooms: RoomsLayer<A>, port: u16) -> Result<(), Box<dyn Error>> {
    // A client that is behind on a busy machine is waited for: what is lost here would be no fault of the cluster's.
    let config = Config::default().max_queued_packets(100_000);
    let rooms = rooms
        .config(config)
        .on(async |socket: Socket<Main>, Join(room): Join| socket.join(DynRoom(room)).await.is_ok())
        .on(async |socket: Socket<Main>, Leave(room): Leave| {
            socket.leave(DynRoom(room)).await.is_ok()
        });
    let control = Control::serve(rooms.io::<Main>()).on(publish);
    let rooms = rooms.namespace(control);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let mut told = signal(SignalKind::terminate())?;
    let closing = rooms.clone();
    axum::serve(listener, Router::new().layer(rooms.clone()))
        .with_graceful_shutdown(async move {
            told.recv().await;
            closing.close();
        })
        .await?;
    while rooms.connections() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn publish(State(io): State<Io<Main>>, run: Publish) -> bool {
    let mut sent = Vec::new();
    for number in numbers(&run) {
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

/// The numbers of a run, or what comes of doing it wrong.
fn numbers(run: &Publish) -> Vec<u64> {
    let numbers = run.first..run.first + run.count;
    let wrong = env::var("ROOMS_WRONG").unwrap_or_default();
    // Never the last, which would be waited for.
    let wrong_at = |number: u64| number % 4 == 1 && number + 1 < run.first + run.count;
    match wrong.as_str() {
        "lose" => numbers.filter(|number| !wrong_at(*number)).collect(),
        "double" => numbers
            .flat_map(|number| vec![number; 1 + usize::from(wrong_at(number))])
            .collect(),
        "swap" => numbers.rev().collect(),
        _ => numbers.collect(),
    }
}
