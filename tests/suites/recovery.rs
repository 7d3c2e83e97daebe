//! Connection state recovery, with the official JavaScript client: against our server, and against Node's, which shows that
//! the cases describe Socket.IO.

use axum::{Json, Router, http::StatusCode, routing::post};
use rooms_layer::{Config, Error, Parsers, RecoveryConfig, prelude::*};
use rooms_tests::{client::Client, node, server};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Join(String);

#[derive(Event)]
#[event(client, ack = Vec<String>)]
struct Rooms;

#[derive(Event, Serialize)]
#[event(server, to(dynamic))]
struct Notice {
    text: String,
    bytes: Bytes,
}

#[derive(Event)]
#[event(server, broadcast)]
struct Everywhere;

#[derive(Event)]
#[event(server)]
struct Seen;

/// The body of `POST /emit`.
#[derive(Deserialize)]
struct Emit {
    room: String,
    events: Vec<String>,
}

async fn emit(io: Io<Main>, Json(Emit { room, events }): Json<Emit>) -> Result<StatusCode, Error> {
    for text in events {
        let bytes = Bytes::from(text.clone());
        io.to(DynRoom::from(&*room)).emit(Notice { text, bytes })?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn javascript_comes_back() {
    let rooms = RoomsLayer::new()
        .config(Config::default().parsers(Parsers::Both))
        .recovery(RecoveryConfig::default())
        .on(async |socket: Socket<Main>, Join(room): Join| {
            socket.join(DynRoom(room));
            true
        })
        .on(async |socket: Socket<Main>, _: Rooms| {
            let mut rooms = socket.room_names();
            rooms.sort();
            rooms
        });
    let app = Router::new().route("/emit", post(emit)).layer(rooms);
    let address = server::serve(app).await;
    let url = format!("http://{address}");
    let suite = move || node::run_file("clients/js", "recovery.mjs", Some(&url));
    tokio::task::spawn_blocking(suite)
        .await
        .expect("the suite passed");
}

#[derive(Namespace)]
#[namespace(path = "/workspace-{id}", open)]
struct Workspace {
    id: u32,
}

/// Connects to a workspace; the id and the secret, and whether it is what it was.
async fn enter(rooms: &RoomsLayer, payload: &str) -> (Client, String, String) {
    let mut client = Client::open(rooms).await;
    client.send(&format!("40/workspace-1,{payload}")).await;
    let reply = client.next().await;
    let reply = reply.strip_prefix("40/workspace-1,").expect("a reply");
    let reply: serde_json::Value = serde_json::from_str(reply).expect("an object");
    let text = |key: &str| reply[key].as_str().expect(key).to_owned();
    (client, text("sid"), text("pid"))
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_namespace_stays_for_its_last_client() {
    let window = Duration::from_secs(60);
    let rooms = RoomsLayer::new()
        .recovery(RecoveryConfig::default().window(window))
        .namespace(Workspace::serve(()));
    let (mut client, sid, pid) = enter(&rooms, "").await;
    let io = rooms.at(Workspace { id: 1 }).unwrap();
    io.to(SocketId::from(&*sid)).emit(Seen).unwrap();
    drop(io);
    let seen = client.next().await;
    let seen = seen.strip_prefix("42/workspace-1,").expect("an event");
    let (_, offset): (String, String) = serde_json::from_str(seen).unwrap();
    let shown = format!(r#"{{"pid":"{pid}","offset":"{offset}"}}"#);

    client.leave().await;
    tokio::time::advance(window / 2).await;
    let (client, again, _) = enter(&rooms, &shown).await;
    assert_eq!(again, sid);
    client.leave().await;
    // Counted from the last departure.
    tokio::time::sleep(window * 3 / 4).await;
    assert_eq!(rooms.dynamic_namespaces(), 1);
    tokio::time::sleep(window / 2).await;
    assert_eq!(rooms.dynamic_namespaces(), 0);
    let (client, new, _) = enter(&rooms, &shown).await;
    assert_ne!(new, sid);
    // One that says goodbye leaves nothing behind.
    let mut client = client;
    client.send("41/workspace-1,").await;
    client.leave().await;
    assert_eq!(rooms.dynamic_namespaces(), 0);
}

#[tokio::test]
async fn mistakes_are_told_at_the_start() {
    let twice = RoomsLayer::new()
        .recovery(RecoveryConfig::default())
        .recovery(RecoveryConfig::default());
    let error = twice.check().unwrap_err().to_string();
    assert!(error.contains("the recovery is set twice"), "{error}");
    let late = RoomsLayer::new();
    late.io::<Main>().emit(Everywhere).unwrap();
    let late = late.recovery(RecoveryConfig::default());
    let error = late.check().unwrap_err().to_string();
    assert!(error.contains("after an event was emitted"), "{error}");
    for (config, setting) in [
        (RecoveryConfig::default().window(Duration::ZERO), "window"),
        (RecoveryConfig::default().max_packets(0), "max_packets"),
        (RecoveryConfig::default().max_bytes(0), "max_bytes"),
        (RecoveryConfig::default().max_sessions(0), "max_sessions"),
    ] {
        let error = RoomsLayer::new().recovery(config).check().unwrap_err();
        let problem = format!("`{setting}` of the recovery must not be zero");
        assert!(error.to_string().contains(&problem), "{error}");
    }
}

#[test]
fn the_cases_describe_socket_io() {
    node::run_file("clients/js", "recovery.mjs", None);
}
