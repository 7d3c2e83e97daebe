//! What is true of NATS alone; what is true of every adapter is in `adapters/`.

mod failover;
mod sessions;

use rooms_layer::{
    Adapter, DynRoom, Emitter, RoomsLayer, prelude::*, rooms::adapter::Health, test::Client,
};
use rooms_nats::{ConnectError, ConnectOptions, JetStream, JetStreamConfig, Nats, NatsConfig};
use rooms_tests::engines;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, to(dynamic))]
struct Said(String);

fn said(text: impl Into<String>) -> Said {
    Said(text.into())
}

fn room(name: &str) -> DynRoom {
    DynRoom(name.to_owned())
}

async fn server(engine: &engines::nats::Nats) -> (RoomsLayer<Nats>, Nats) {
    let nats = Nats::connect(engine.url()).await.expect("NATS is there");
    (RoomsLayer::with_adapter(nats.clone()), nats)
}

/// A client that has joined a room, of which the other servers know.
async fn member<A: Adapter>(rooms: &RoomsLayer<A>, name: &str) -> Client<Main> {
    let client = Client::<Main>::connect(rooms, ())
        .await
        .expect("it is let in");
    let joined = client.server_socket().join(room(name));
    joined.await.expect("NATS is there");
    client
}

#[tokio::test]
async fn a_process_without_sockets_emits_and_commands() {
    let engine = engines::nats::Nats::start().await;
    let (first, _) = server(&engine).await;
    let (second, _) = server(&engine).await;
    let mut ann = member(&first, "a").await;
    let mut bob = member(&second, "b").await;

    let out: Emitter<Main> = rooms_nats::emitter(engine.url())
        .await
        .expect("NATS is there");
    let sent = out.to(room("a")).emit(said("to a")).expect("an event");
    assert_eq!(sent.local, 0);
    sent.await.expect("NATS is there");
    out.join(room("c")).await.expect("NATS is there");
    out.emit(said("to all"))
        .expect("an event")
        .await
        .expect("NATS is there");
    assert_eq!(ann.expect::<Said>().await.0, "to a");
    assert_eq!(ann.expect::<Said>().await.0, "to all");
    assert_eq!(bob.expect::<Said>().await.0, "to all");
    for client in [&ann, &bob] {
        assert!(
            client.server_socket().is_in(room("c")),
            "what was said before is done before"
        );
    }
    out.to(room("b"))
        .disconnect_sockets()
        .await
        .expect("NATS is there");
    bob.disconnected().await;
}

/// How many sockets each server has, in a room.
#[derive(Event, Serialize, Deserialize)]
#[event(cluster, ack = usize)]
struct CountIn(String);

#[tokio::test]
async fn the_typed_questions_reach_other_servers() {
    let engine = engines::nats::Nats::start().await;
    let nats = Nats::connect(engine.url()).await.expect("NATS is there");
    let first = RoomsLayer::with_adapter(nats);
    let nats = Nats::connect(engine.url()).await.expect("NATS is there");
    let main = Main::serve(()).on_server_event(async |io: Io<Main>, CountIn(name): CountIn| {
        io.to(DynRoom(name)).count().await
    });
    let second = RoomsLayer::with_adapter(nats).namespace(main);
    let ann = member(&second, "a").await;
    let bob = member(&second, "a").await;
    let _here = member(&first, "b").await;

    let io = first.io_with::<Main>();
    let found = io.to(room("a")).fetch_sockets().await.expect("all answer");
    let mut ids: Vec<_> = found.iter().map(|socket| socket.id().clone()).collect();
    ids.sort();
    let mut expected = [ann.id().clone(), bob.id().clone()];
    expected.sort();
    assert_eq!(ids, expected);
    assert!(found[0].room_names().any(|name| name == "a"));
    let handshake = found[0].handshake().expect("it is told");
    assert!(handshake.url.starts_with("/socket.io/"), "{handshake:?}");
    assert_eq!(io.cluster_count().await.expect("all answer"), 3);

    let mut answers = io
        .server_side_emit_with_ack(CountIn("a".to_owned()))
        .expect("open");
    assert_eq!(
        answers
            .next()
            .await
            .expect("one answers")
            .expect("a number"),
        2
    );
    assert!(answers.next().await.is_none());
    assert_eq!(answers.missing(), 0);
}

/// Otherwise every server would read what all of them emit.
#[tokio::test]
async fn a_room_is_heard_by_servers_with_members_alone() {
    let engine = engines::nats::Nats::start().await;
    let (first, _) = server(&engine).await;
    let (second, _) = server(&engine).await;
    let mut member = member(&second, "a").await;
    // A third, of which nobody is a member.
    let _third = server(&engine).await;
    let before = delivered(&engine).await;
    for number in 0..500 {
        let sent = first
            .io::<Main>()
            .to(room("a"))
            .emit(said(number.to_string()));
        drop(sent.expect("an open server"));
    }
    for number in 0..500 {
        assert_eq!(member.expect::<Said>().await.0, number.to_string());
    }
    let sent = delivered(&engine).await - before;
    // Some heartbeats are among them.
    assert!(
        (500..700).contains(&sent),
        "{sent} messages, for one server that has the room"
    );

    let before = delivered(&engine).await;
    let left = member.server_socket().leave(room("a"));
    left.await.expect("NATS is there");
    for number in 0..500 {
        let sent = first
            .io::<Main>()
            .to(room("a"))
            .emit(said(number.to_string()));
        drop(sent.expect("an open server"));
    }
    let last = first
        .io::<Main>()
        .emit(said("end"))
        .expect("an open server");
    last.await.expect("NATS is there");
    assert_eq!(member.expect::<Said>().await.0, "end");
    let sent = delivered(&engine).await - before;
    assert!(sent < 200, "{sent} messages, for nobody");
}

/// How many messages NATS has sent.
async fn delivered(engine: &engines::nats::Nats) -> u64 {
    let said = engine.monitor("/varz").await.expect("it monitors");
    let body = said.split_once("\r\n\r\n").expect("a body").1;
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["out_msgs"].as_u64().expect("a number")
}

#[tokio::test]
async fn what_is_longer_than_nats_takes_is_refused_with_both_numbers() {
    let engine = engines::nats::Nats::start().await;
    let (first, _) = server(&engine).await;
    let (second, _) = server(&engine).await;
    let mut here = member(&first, "a").await;
    let mut there = member(&second, "a").await;
    let io = first.io::<Main>();
    let long = "x".repeat(1_100_000);
    let sent = io
        .to(room("a"))
        .emit(said(&long))
        .expect("it is queued here");
    let error = sent.await.expect_err("too long for NATS").to_string();
    for part in ["1100", "1048576", "max_payload"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(here.expect::<Said>().await.0.len(), long.len());
    io.to(room("a"))
        .emit(said("short"))
        .expect("it is queued")
        .await
        .expect("NATS is there");
    assert_eq!(there.expect::<Said>().await.0, "short", "nothing is stuck");
}

#[tokio::test]
async fn clusters_with_other_prefixes_do_not_hear_each_other() {
    let engine = engines::nats::Nats::start().await;
    let mut config = NatsConfig::default();
    config.prefix = "another.cluster".to_owned();
    let another = Nats::connect_with(ConnectOptions::new(), engine.url(), config).await;
    let another = RoomsLayer::with_adapter(another.expect("NATS is there"));
    let (first, nats) = server(&engine).await;
    let mut here = member(&first, "a").await;
    let mut there = member(&another, "a").await;
    another
        .io::<Main>()
        .emit(said("there"))
        .expect("open")
        .await
        .expect("NATS is there");
    first
        .io::<Main>()
        .emit(said("here"))
        .expect("open")
        .await
        .expect("NATS is there");
    assert_eq!(here.expect::<Said>().await.0, "here");
    assert_eq!(there.expect::<Said>().await.0, "there");
    assert_eq!(nats.servers(), 0);
}

#[tokio::test]
async fn mistakes_are_told_at_the_start() {
    let engine = engines::nats::Nats::start().await;
    let mut config = NatsConfig::default();
    config.prefix = "no spaces".to_owned();
    let error = Nats::connect_with(ConnectOptions::new(), engine.url(), config).await;
    assert!(matches!(error, Err(ConnectError::Config(problem)) if problem.contains("`prefix`")));

    let mut config = JetStreamConfig::default();
    config.keep = Duration::from_secs(1);
    let error = JetStream::connect_with(ConnectOptions::new(), engine.url(), config).await;
    assert!(matches!(error, Err(ConnectError::Config(problem)) if problem.contains("`keep`")));

    let mut config = JetStreamConfig::default();
    config.replicas = 3;
    let error = JetStream::connect_with(ConnectOptions::new(), engine.url(), config).await;
    assert!(
        matches!(error, Err(ConnectError::JetStream(_))),
        "one server keeps no three copies"
    );

    engine.process().kill();
    let error = Nats::connect(engine.url()).await;
    assert!(matches!(error, Err(ConnectError::Connect(_))));
}

#[tokio::test]
async fn a_closed_server_says_goodbye_and_is_closed() {
    let engine = engines::nats::Nats::start().await;
    let (first, nats) = server(&engine).await;
    let (_second, other) = server(&engine).await;
    first.check().expect("nothing is wrong");
    first.close();
    let closed = timeout(PATIENCE, nats.health_changed(Health::Up)).await;
    assert_eq!(closed.expect("it closes"), Health::Closed);
    timeout(PATIENCE, async {
        while other.servers() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the other one knows");
}

#[tokio::test]
async fn a_log_that_is_lost_is_not_taken_for_another() {
    let engine = engines::nats::Nats::start().await;
    let mut config = JetStreamConfig::default();
    config.in_memory = true;
    config.max_bytes = 1024 * 1024;
    config.nats.heartbeat = Duration::from_millis(300);
    config.nats.silence = Duration::from_secs(2);
    let nats = JetStream::connect_with(ConnectOptions::new(), engine.url(), config).await;
    let nats = nats.expect("JetStream is there");
    let rooms = RoomsLayer::with_adapter(nats.clone()).recovery(Default::default());
    let mut member = member(&rooms, "a").await;
    let io = rooms.io::<Main>();
    io.to(room("a"))
        .emit(said("before"))
        .expect("open")
        .await
        .expect("it is recorded");
    member.expect::<Said>().await;

    engine.process().kill();
    let down = timeout(PATIENCE, nats.health_changed(Health::Up));
    let down = down.await.expect("it notices");
    engine.process().restart();
    timeout(PATIENCE, nats.health_changed(down))
        .await
        .expect("it comes back");
    // The stream is made again, and read from its beginning.
    let sent = io.to(room("a")).emit(said("after")).expect("open");
    timeout(PATIENCE, sent.into_future())
        .await
        .expect("in time")
        .expect("it is recorded");
    assert_eq!(member.expect::<Said>().await.0, "after");
}
