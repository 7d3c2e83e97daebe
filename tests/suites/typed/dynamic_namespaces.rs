//! A namespace for each value in a path.

use super::Notes;
use rooms_layer::{Error, RoomsLayer, prelude::*};
use rooms_tests::client::Client;
use serde::Deserialize;

#[derive(Namespace, Debug, PartialEq, Clone)]
#[namespace(path = "/workspace-{id}", auth = Token, data = String, client(Whereabouts, Shout), server(Heard))]
struct Workspace {
    id: u64,
}

#[derive(Deserialize)]
struct Token {
    name: String,
}

#[derive(Event)]
#[event(ack = String)]
struct Whereabouts;

#[derive(Event)]
struct Shout;

#[derive(Event)]
#[event(broadcast)]
struct Heard(String);

#[handler(Workspace)]
async fn whereabouts(socket: Socket<Workspace>, io: Io<Workspace>, _: Whereabouts) -> String {
    assert_eq!(io.namespace(), socket.namespace());
    format!("{} in {}", socket.data(), socket.namespace().id)
}

#[handler(Workspace)]
async fn shout(io: Io<Workspace>, socket: Socket<Workspace>, _: Shout) -> Result<(), Error> {
    io.emit(Heard(socket.data().clone()))?;
    Ok(())
}

fn workspaces(config: rooms_layer::Config) -> RoomsLayer {
    let authorize = async |handshake: Handshake<Workspace>| match handshake.namespace().id {
        0 => Err(Refuse::new("nobody is let into 0")),
        _ => Ok(handshake.auth.name.clone()),
    };
    RoomsLayer::new().config(config).namespace(
        Workspace::serve(())
            .authorize(authorize)
            .on(whereabouts)
            .on(shout),
    )
}

/// Joins a dynamic namespace over a connection of its own.
async fn enter(rooms: &RoomsLayer, path: &str, name: &str) -> Client {
    Client::join_at(rooms, path, &format!(r#"{{"name":"{name}"}}"#)).await
}

#[tokio::test]
async fn each_value_in_a_path_has_a_namespace_of_its_own() {
    let rooms = workspaces(Default::default());
    let mut ann = enter(&rooms, "/workspace-1", "ann").await;
    let mut bob = enter(&rooms, "/workspace-2", "bob").await;
    let mut cid = enter(&rooms, "/workspace-2", "cid").await;
    ann.send(r#"42/workspace-1,5["whereabouts"]"#).await;
    assert_eq!(ann.next().await, r#"43/workspace-1,5["ann in 1"]"#);
    bob.send(r#"42/workspace-2,["shout"]"#).await;
    for client in [&mut bob, &mut cid] {
        assert_eq!(client.next().await, r#"42/workspace-2,["heard","bob"]"#);
    }
    let io = rooms.at(Workspace { id: 1 }).expect("it is served");
    assert_eq!(io.namespace(), &Workspace { id: 1 });
    assert_eq!(io.count().await, 1);
    let heard = || Heard("from outside".to_owned());
    assert_eq!(io.emit(heard()).expect("a server").local, 1);
    // Had anything been sent to it from 2, it would have come first.
    let heard_outside = r#"42/workspace-1,["heard","from outside"]"#;
    assert_eq!(ann.next().await, heard_outside);
    let other = io.at(Workspace { id: 2 }).expect("it is served");
    assert_eq!(other.emit(heard()).expect("a server").local, 2);
}

#[tokio::test]
async fn paths_without_a_value_are_nobodys() {
    let rooms = workspaces(Default::default());
    let mut client = Client::open(&rooms).await;
    for (path, message) in [
        ("/workspace-01", "Invalid namespace"),
        ("/workspace-+1", "Invalid namespace"),
        ("/workspace-", "Invalid namespace"),
        ("/workspace-x", "Invalid namespace"),
        ("/workspace-1/", "Invalid namespace"),
        ("/workspace-1?a=b", "Invalid namespace"),
        ("/workspace-18446744073709551616", "Invalid namespace"),
        ("/workspace-0", "nobody is let into 0"),
    ] {
        client.send(&format!(r#"40{path},{{"name":""}}"#)).await;
        let refusal = format!(r#"44{path},{{"message":"{message}"}}"#);
        assert_eq!(client.next().await, refusal);
    }
    assert_eq!(rooms.dynamic_namespaces(), 0);
}

#[tokio::test]
async fn a_dynamic_namespace_lives_as_long_as_somebody_is_there_or_asks() {
    let rooms = workspaces(Default::default());
    let at = |id| rooms.at(Workspace { id }).expect("it is served");
    let ann = enter(&rooms, "/workspace-1", "ann").await;
    let bob = enter(&rooms, "/workspace-1", "bob").await;
    assert_eq!(rooms.dynamic_namespaces(), 1);
    ann.leave().await;
    assert_eq!(rooms.dynamic_namespaces(), 1);
    let io = at(1);
    bob.leave().await;
    assert_eq!(rooms.dynamic_namespaces(), 1);
    // Whoever comes back is in the namespace that the handle means.
    let cid = enter(&rooms, "/workspace-1", "cid").await;
    assert_eq!(io.count().await, 1);
    drop(io);
    assert_eq!(rooms.dynamic_namespaces(), 1);
    cid.leave().await;
    assert_eq!(rooms.dynamic_namespaces(), 0);
    drop(at(7));
    assert_eq!(rooms.dynamic_namespaces(), 0);
}

#[tokio::test]
async fn there_is_a_ceiling_for_dynamic_namespaces() {
    let rooms = workspaces(rooms_layer::Config::default().max_dynamic_namespaces(2));
    let first = enter(&rooms, "/workspace-1", "ann").await;
    let second = rooms.at(Workspace { id: 2 });
    let mut third = Client::open(&rooms).await;
    let ask = r#"40/workspace-3,{"name":"cid"}"#;
    third.send(ask).await;
    let refusal = r#"44/workspace-3,{"message":"too many namespaces"}"#;
    assert_eq!(third.next().await, refusal);
    let error = rooms.at(Workspace { id: 3 }).expect_err("one too many");
    let sentence = "namespace `/workspace-3` would be one dynamic namespace too many";
    assert_eq!(error.to_string(), sentence);
    // Those that are there take more clients.
    enter(&rooms, "/workspace-2", "dan").await;
    drop(second);
    first.leave().await;
    third.send(ask).await;
    assert!(third.next().await.starts_with(r#"40/workspace-3,{"sid""#));
}

#[tokio::test]
async fn there_is_a_ceiling_for_the_namespaces_of_one_connection() {
    let rooms = workspaces(rooms_layer::Config::default().max_joined_namespaces(2));
    let mut client = enter(&rooms, "/workspace-1", "ann").await;
    for (id, reply) in [(2, "40"), (3, "44")] {
        client
            .send(&format!(r#"40/workspace-{id},{{"name":"ann"}}"#))
            .await;
        let answer = client.next().await;
        assert!(answer.starts_with(reply), "{answer}");
    }
    client.send("41/workspace-1,").await;
    client.send(r#"40/workspace-3,{"name":"ann"}"#).await;
    assert!(client.next().await.starts_with(r#"40/workspace-3,{"sid""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_and_going_do_not_race() {
    let rooms = workspaces(Default::default());
    let visitors = (0..4).map(|visitor| {
        let rooms = rooms.clone();
        tokio::spawn(async move {
            for round in 0..100 {
                let io = (visitor % 2 == 0).then(|| rooms.at(Workspace { id: 1 }));
                let client = enter(&rooms, "/workspace-1", "ann").await;
                let id = client.id().clone();
                // Whoever has the namespace has the one that the client is in.
                let now = rooms.at(Workspace { id: 1 }).expect("it is served");
                assert_eq!(now.to(&id).count().await, 1, "round {round}");
                if let Some(io) = io {
                    let before = io.expect("it is served");
                    assert_eq!(before.to(&id).count().await, 1, "round {round}");
                }
                client.leave().await;
            }
        })
    });
    for visitor in visitors.collect::<Vec<_>>() {
        visitor.await.expect("no visitor panics");
    }
    assert_eq!(rooms.dynamic_namespaces(), 0);
}

#[derive(Namespace)]
#[namespace(path = "/workspace-7")]
struct Seventh;

#[derive(Namespace)]
#[namespace(path = "/{name}", open)]
struct Anything {
    name: String,
}

#[derive(Namespace)]
#[namespace(path = "/{kind}-{id}/{of}", open)]
struct Several {
    kind: String,
    id: i8,
    of: String,
}

/// A key that no trying of values finds.
struct Odd(String);

impl RoomKey for Odd {
    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }

    fn parse(text: &str) -> Option<Self> {
        assert_ne!(text, "odd panic", "on purpose");
        text.starts_with("odd").then(|| Odd(text.to_owned()))
    }
}

#[derive(Namespace)]
#[namespace(path = "/{odd}", open)]
struct First {
    odd: Odd,
}

#[derive(Namespace)]
#[namespace(path = "/od{odd}", open)]
struct Second {
    odd: String,
}

/// A server of a contract that is dynamic.
#[derive(Namespace)]
#[namespace(contract = Several, data = u8)]
struct Server;

#[tokio::test]
async fn a_static_path_goes_before_a_pattern() {
    let rooms = workspaces(Default::default()).namespace(Seventh::serve(()));
    rooms.check().expect("that is allowed");
    let mut client = Client::open(&rooms).await;
    // Nobody has to say a name here.
    client.send("40/workspace-7,").await;
    assert!(client.next().await.starts_with(r#"40/workspace-7,{"sid""#));
    let error = rooms.at(Workspace { id: 7 }).expect_err("it is taken");
    let sentence = "namespace `/workspace-7` is served as `Seventh`, not as `Workspace`";
    assert_eq!(error.to_string(), sentence);
    let error = rooms.at(Anything { name: "x".into() });
    let error = error.expect_err("it is not mounted").to_string();
    assert!(
        error.starts_with("namespace `Anything` (path `/x`) is not mounted"),
        "{error}"
    );
}

#[tokio::test]
async fn patterns_that_share_a_path_are_told_at_the_start() {
    let rooms = workspaces(Default::default()).namespace(Anything::serve(()));
    let problem = rooms.check().expect_err("they share paths").to_string();
    let sentence = "namespace `/workspace-1` is mounted twice: by `Workspace` and by `Anything`";
    assert!(problem.ends_with(sentence), "{problem}");
    let twice = workspaces(Default::default())
        .namespace(Server::serve(()))
        .namespace(Several::serve(()));
    let problem = twice.check().expect_err("it is mounted twice").to_string();
    let sentence = "namespace `/{kind}-{id}/{of}` is mounted twice: by `Server` and by `Several`";
    assert!(problem.ends_with(sentence), "{problem}");
}

#[tokio::test]
async fn where_no_shared_path_is_found_the_first_pattern_goes_before_the_second() {
    let rooms = RoomsLayer::new()
        .namespace(First::serve(()))
        .namespace(Second::serve(()));
    rooms.check().expect("no shared path is found");
    let odd = Odd("odd one".to_owned());
    assert!(rooms.at(First { odd }).is_ok());
    let error = rooms.at(Second {
        odd: "d one".into(),
    });
    let sentence = "namespace `/odd%20one` is served as `First`, not as `Second`";
    assert_eq!(error.expect_err("it is taken").to_string(), sentence);
    assert!(rooms.at(Second { odd: "e".into() }).is_ok());
    // A type that panics on a path has not read it.
    let io = rooms.at(Second {
        odd: "d panic".into(),
    });
    assert_eq!(io.expect("it is served").namespace().odd, "d panic");
}

#[tokio::test]
async fn a_server_of_a_dynamic_contract_reads_the_values_of_the_contract() {
    let seen = Notes::default();
    let notes = seen.clone();
    let rooms =
        RoomsLayer::new().namespace(Server::serve(()).on_connect(move |socket: Socket<Server>| {
            let Several { kind, id, of } = socket.namespace();
            notes.note(format!("{kind} {id} {of}"));
            async {}
        }));
    let board = Several {
        kind: "a-b".into(),
        id: -3,
        of: "c/d, ?".into(),
    };
    let path = rooms_layer::DynamicNamespace::path(&board);
    assert_eq!(path, "/a%2Db--3/c%2Fd%2C%20%3F");
    let _client = enter(&rooms, &path, "").await;
    assert_eq!(seen.take(), ["a-b -3 c/d, ?"]);
    assert_eq!(rooms.at(board).expect("it is served").count().await, 1);
}

#[tokio::test]
async fn http_handlers_reach_dynamic_namespaces() {
    use axum::{Router, extract::Path, routing::get};
    use rooms_layer::{Handle, MissingIo};
    use tower::ServiceExt;
    async fn count(handle: Handle, Path(id): Path<u64>) -> Result<String, MissingIo> {
        let io = handle.at(Workspace { id })?;
        Ok(io.count().await.to_string())
    }
    let rooms = workspaces(Default::default());
    let _ann = enter(&rooms, "/workspace-1", "ann").await;
    let app = Router::new().route("/{id}", get(count)).layer(rooms);
    for (path, expected) in [("/1", "1"), ("/2", "0")] {
        let request = http::Request::get(path).body(axum::body::Body::empty());
        let response = app.clone().oneshot(request.expect("a request")).await;
        let body = response.expect("a response").into_body();
        let body = axum::body::to_bytes(body, 1000).await.expect("a body");
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn the_test_kit_reaches_dynamic_namespaces() {
    use rooms_layer::test;
    let rooms = workspaces(Default::default());
    let auth = serde_json::json!({ "name": "ann" });
    let ann = test::Client::connect_at(&rooms, Workspace { id: 3 }, &auth).await;
    let mut ann = ann.expect("everyone is let in");
    let answer = ann.emit_with_ack(Whereabouts).await.expect("an answer");
    assert_eq!(answer, "ann in 3");
    let recorder = test::Recorder::<Workspace>::new();
    let io = recorder.at(Workspace { id: 4 });
    assert_eq!(io.namespace().id, 4);
    io.emit(Heard("x".to_owned())).expect("a recorder");
    assert!(recorder.next().is_to_everyone());
}
