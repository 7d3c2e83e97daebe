//! The typed floor on the wire: what a client sends reaches the right handler in the right form, and what goes wrong is told.

mod dynamic_namespaces;
mod middleware;

use rooms_layer::{
    AnyEvent, Call, Error, FromMessage, Rejection, RoomsLayer, StartError, prelude::*,
};
use rooms_tests::client::Client;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

const ANN: &str = r#"{"token":"letmein"}"#;

fn demo_rooms() -> RoomsLayer {
    RoomsLayer::new().namespace(demo::serve(demo::Db::default()))
}

/// What handlers and hooks note, in order.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn note(&self, note: impl Into<String>) {
        self.0
            .lock()
            .expect("no test panics in here")
            .push(note.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics in here"))
    }
}

#[tokio::test]
async fn handlers_answer_and_others_hear() {
    let rooms = demo_rooms();
    let mut ann = Client::join(&rooms, ANN).await;
    let mut bob = Client::join(&rooms, ANN).await;
    assert_eq!(
        bob.ask(r#"["join_project",7]"#).await,
        r#"[{"ok":true,"value":null}]"#
    );
    assert_eq!(
        ann.ask(r#"["add_task",{"id":7,"title":"x"}]"#).await,
        r#"[{"ok":true,"value":{"title":"x","done":false}}]"#
    );
    assert_eq!(
        bob.next().await,
        r#"42["project updated",{"id":7,"change":{"title":"x","done":false}}]"#
    );
    assert_eq!(
        ann.ask(r#"["add_task",{"id":7,"title":""}]"#).await,
        r#"[{"ok":false,"error":{"code":"not_found"}}]"#
    );
}

#[tokio::test]
async fn a_payload_that_does_not_decode_is_answered_in_the_type_of_the_client() {
    let rooms = demo_rooms();
    let mut client = Client::join(&rooms, ANN).await;
    for payload in [
        r#","junk""#,
        r#",{"id":1}"#,
        r#",{"id":-1,"title":""}"#,
        "",
        ",null",
    ] {
        let answer = client.ask(&format!(r#"["add_task"{payload}]"#)).await;
        let expected = r#"[{"ok":false,"error":{"code":"bad_request","message":"argument 0: "#;
        assert!(answer.starts_with(expected), "{answer}");
    }
    // Surplus arguments are ignored, as functions ignore them in JavaScript.
    let answer = client.ask(r#"["join_project",7,"surplus"]"#).await;
    assert_eq!(answer, r#"[{"ok":true,"value":null}]"#);
}

#[tokio::test]
async fn authorize_decides_and_makes_the_data() {
    let rooms = demo_rooms();
    let mut stranger = Client::open(&rooms).await;
    stranger.send(r#"40{"token":"guess"}"#).await;
    assert_eq!(stranger.next().await, r#"44{"message":"bad token"}"#);
    stranger.send("40").await;
    let reply = stranger.next().await;
    assert!(
        reply.starts_with(r#"44{"message":"invalid auth: "#),
        "{reply}"
    );
    // The hook has read the data and joined the room of the user.
    let _ann = Client::join(&rooms, ANN).await;
    let user = demo::Room::user(demo::UserId("ann".into()));
    assert_eq!(rooms.io::<demo::App>().to(user).count().await, 1);
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = u32)]
struct Double(u32);

#[derive(Event)]
#[event(client, ack = Result<u32, Told>)]
struct Impossible(u32);

#[derive(Event)]
#[event(client)]
struct Silent(u32);

#[tokio::test]
async fn rejections_without_an_ack_to_carry_them_are_told_otherwise() {
    let notes = Notes::default();
    let hook = notes.clone();
    let rooms = RoomsLayer::new().namespace(
        Main::serve(())
            .on(async |Double(n): Double| match n {
                0 => panic!("on purpose"),
                n => n * 2,
            })
            .on(async |Silent(n): Silent| match n {
                0 => Err("zero"),
                _ => Ok(()),
            })
            .on_reject(move |_, event, rejection| hook.note(format!("{event}: {rejection}")))
            .exceptions(),
    );
    let mut client = Client::join(&rooms, "").await;
    assert_eq!(client.ask(r#"["double",4]"#).await, "[8]");
    let cases = [
        (r#"420["double",0]"#, "double", "internal error"),
        (r#"42["silent",0]"#, "silent", "zero"),
        (r#"42["silent"]"#, "silent", "argument 0: is missing"),
        (r#"421["nobody"]"#, "nobody", "nothing handles this event"),
    ];
    for (packet, event, message) in cases {
        client.send(packet).await;
        let exception = format!(r#"42["exception",{{"event":"{event}","message":"{message}"}}]"#);
        assert_eq!(client.next().await, exception);
        assert_eq!(notes.take(), [format!("{event}: {message}")]);
    }
}

/// Has no `From<rooms_layer::Error>`, but says what a rejection is.
#[derive(Serialize)]
struct Told(String);

impl rooms_layer::FromRejection for Told {
    fn from_rejection(rejection: Rejection) -> Self {
        Told(format!("told: {rejection}"))
    }
}

#[derive(Event)]
#[event(client, ack = Result<u32, Told>)]
struct Ask(u32);

/// An extractor from outside the library.
struct Language(String);

impl<N: Namespace, E: Event> FromMessage<N, E> for Language {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        match call.handshake().header("accept-language") {
            Some(header) => Ok(Language(String::from_utf8_lossy(header).into_owned())),
            None => Err(Rejection::Refused("no language".to_owned())),
        }
    }
}

/// An extractor that never is.
struct Never;

impl<N: Namespace, E: Event> FromMessage<N, E> for Never {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Err(Rejection::Refused(format!(
            "never for {}",
            call.event_name()
        )))
    }
}

#[tokio::test]
async fn extractors_checks_and_panics_are_answered() {
    let rooms = RoomsLayer::new().namespace(
        Main::serve(())
            .before(|call| match call.event_name() {
                "ask" if !call.wants_ack() => Err(Rejection::Refused("ask for it".to_owned())),
                _ => Ok(()),
            })
            .on(
                async |Language(language): Language, never: Option<Never>, Ask(n): Ask| {
                    assert!(n > 0, "on purpose");
                    match (never, n) {
                        (None, 1) => Ok(language.len() as u32),
                        _ => Err(Told("no".to_owned())),
                    }
                },
            )
            .on(async |_: Never, Impossible(n): Impossible| Ok::<_, Told>(n)),
    );
    let mut client = Client::join(&rooms, "").await;
    let answers = [
        (r#"["ask",1]"#, r#"[{"ok":true,"value":2}]"#),
        (r#"["ask",2]"#, r#"[{"ok":false,"error":"no"}]"#),
        (
            r#"["ask",0]"#,
            r#"[{"ok":false,"error":"told: internal error"}]"#,
        ),
        (
            r#"["impossible",1]"#,
            r#"[{"ok":false,"error":"told: never for impossible"}]"#,
        ),
    ];
    for (event, answer) in answers {
        assert_eq!(client.ask(event).await, answer);
    }
    // A check refuses what does not ask, and nothing tells the client.
    client.send(r#"42["ask",1]"#).await;
    assert_eq!(
        client.ask(r#"["ask",1]"#).await,
        r#"[{"ok":true,"value":2}]"#
    );
}

#[tokio::test]
async fn events_go_past_observers_to_a_handler_or_the_fallback() {
    let notes = Notes::default();
    let (any, fallback) = (notes.clone(), notes.clone());
    let rooms = RoomsLayer::new().namespace(
        Main::serve(())
            .on_any(move |_, event| any.note(format!("any {}", event.name())))
            .on(async |Double(n): Double| n * 2)
            .fallback(move |_: Socket<Main>, event: AnyEvent| {
                let fallback = fallback.clone();
                async move {
                    let first: u8 = event.get(0).expect("a number");
                    fallback.note(format!(
                        "fallback {} {first} of {}",
                        event.name(),
                        event.len()
                    ));
                }
            }),
    );
    let mut client = Client::join(&rooms, "").await;
    client.send(r#"42["other",1,2]"#).await;
    assert_eq!(client.ask(r#"["double",4]"#).await, "[8]");
    assert_eq!(
        notes.take(),
        ["any other", "fallback other 1 of 2", "any double"]
    );
}

#[derive(Room, Debug)]
enum Place {
    Table(u8),
}

#[derive(Event, Serialize)]
#[event(server, to(Place::Table(table)))]
struct Dealt {
    table: u8,
}

#[derive(Event)]
#[event(client)]
struct Deal(u8);

struct Hooks(Notes);

#[handler(Main)]
impl Hooks {
    #[connect]
    async fn came(&self, socket: Socket<Main>) {
        socket.join([Place::table(1), Place::table(2)]);
        self.0.note("came");
    }

    #[on]
    async fn deal(&self, socket: Socket<Main>, Deal(table): Deal) -> Result<(), Error> {
        assert!(socket.is_in(Place::table(table)));
        socket.publish(Dealt { table })?;
        Ok(())
    }

    #[disconnecting]
    async fn leaves(&self, socket: Socket<Main>) {
        self.0.note(format!("leaves {:?}", socket.rooms::<Place>()));
    }

    #[disconnect]
    async fn left(&self, socket: Socket<Main>, reason: DisconnectReason) {
        self.0
            .note(format!("left {:?}: {reason}", socket.rooms::<Place>()));
    }
}

#[tokio::test]
async fn hooks_run_when_clients_come_and_go() {
    let notes = Notes::default();
    let rooms = RoomsLayer::new().handlers(Hooks(notes.clone()));
    let mut ann = Client::join(&rooms, "").await;
    let mut bob = Client::join(&rooms, "").await;
    ann.send(r#"42["deal",1]"#).await;
    assert_eq!(bob.next().await, r#"42["dealt",{"table":1}]"#);
    assert_eq!(notes.take(), ["came", "came"]);
    ann.leave().await;
    let left = notes.take();
    assert_eq!(left[0], "leaves [Table(1), Table(2)]");
    assert_eq!(left[1], "left []: transport close");
}

#[tokio::test]
async fn a_target_means_the_same_rooms_whenever_it_is_used() {
    let rooms = RoomsLayer::new().handlers(Hooks(Notes::default()));
    let io = rooms.io::<Main>();
    let table = io.to(Place::table(1));
    assert_eq!(table.emit(Dealt { table: 1 }).expect("a server").local, 0);
    let mut ann = Client::join(&rooms, "").await;
    ann.send(r#"42["deal",1]"#).await;
    let everyone_else = table.clone().except(Place::table(2));
    assert_eq!(
        everyone_else
            .emit(Dealt { table: 1 })
            .expect("a server")
            .local,
        0
    );
    assert_eq!(table.emit(Dealt { table: 1 }).expect("a server").local, 1);
    assert_eq!(ann.next().await, r#"42["dealt",{"table":1}]"#);
}

#[tokio::test]
async fn rooms_of_any_set_have_names() {
    let notes = Notes::default();
    let (coming, going) = (notes.clone(), notes.clone());
    let rooms = RoomsLayer::new().namespace(
        Main::serve(())
            .on_connect(move |socket: Socket<Main>| {
                socket.join(DynRoom::from("legacy"));
                socket.join(Place::table(1));
                let [own, legacy, table] = &socket.room_names()[..] else {
                    panic!("three rooms")
                };
                assert_eq!(own, socket.id().as_str());
                coming.note(format!("{legacy} {table}"));
                async {}
            })
            .on_disconnect(move |socket: Socket<Main>, _| {
                going.note(format!("left {:?}", socket.room_names()));
                async {}
            }),
    );
    let io = rooms.io::<Main>();
    assert_eq!(io.room_names(), [""; 0]);
    let ann = Client::join(&rooms, "").await;
    let bob = Client::join(&rooms, "").await;
    let mut names = io.room_names();
    names.retain(|name| name.len() < 20);
    names.sort();
    assert_eq!(names, ["legacy", "table:1"]);
    assert_eq!(io.room_names().len(), 4);
    ann.leave().await;
    bob.leave().await;
    assert_eq!(io.room_names(), [""; 0]);
    let came = "legacy table:1";
    assert_eq!(notes.take(), [came, came, "left []", "left []"]);
}

#[test]
fn an_empty_list_of_rooms_is_nobody() {
    let rooms = RoomsLayer::new();
    let nobody = rooms
        .io::<Main>()
        .to(Vec::<rooms_layer::In<Place, place::Table>>::new());
    assert!(
        format!("{nobody:?}").contains("rooms: Some([])"),
        "{nobody:?}"
    );
}

#[derive(Namespace)]
#[namespace(path = "/")]
struct Other;

#[derive(Namespace)]
#[namespace(path = "/nowhere")]
struct Nowhere;

#[tokio::test]
async fn what_is_put_together_wrongly_is_told_at_the_start() {
    let problems = |rooms: RoomsLayer| -> Vec<String> {
        let problems = rooms.check().err();
        let problems = problems.iter().flat_map(StartError::problems);
        problems.map(ToString::to_string).collect()
    };
    assert_eq!(problems(RoomsLayer::new()), [""; 0]);
    let config = rooms_layer::Config::default()
        .allow_eio3(true)
        .parsers(rooms_layer::Parsers::Msgpack);
    let [problem] = &problems(RoomsLayer::new().config(config))[..] else {
        panic!("one problem")
    };
    assert!(
        problem.contains("`allow_eio3` needs `parsers` to allow JSON"),
        "{problem}"
    );
    let twice = RoomsLayer::new()
        .on(async |Silent(_): Silent| ())
        .on(demo_silent);
    let [problem] = &problems(twice)[..] else {
        panic!("one problem")
    };
    let start = "event `silent` of namespace `Main` has two handlers: `typed::";
    assert!(problem.starts_with(start), "{problem}");
    assert!(problem.ends_with("and `typed::demo_silent`"), "{problem}");
    let twice = RoomsLayer::new()
        .namespace(Main::serve(()))
        .namespace(Other::serve(()));
    assert_eq!(
        problems(twice),
        ["namespace `/` is mounted twice: by `Main` and by `Other`"]
    );
}

#[handler]
async fn demo_silent(_: Silent) {}

#[tokio::test]
async fn a_missing_handle_is_a_clear_answer() {
    use axum::{Router, routing::get};
    use tower::ServiceExt;
    async fn other(_: Io<Other>) {}
    async fn nowhere(_: Io<Nowhere>) {}
    async fn main(_: Io<Main>) {}
    let routes = || {
        Router::new()
            .route("/main", get(main))
            .route("/other", get(other))
            .route("/nowhere", get(nowhere))
    };
    let answer = async |router: Router, path: &str| {
        let request = http::Request::get(path).body(axum::body::Body::empty());
        let response = router.oneshot(request.expect("a request")).await;
        let response = response.expect("a response");
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1000).await;
        let body = String::from_utf8_lossy(&body.expect("a body")).into_owned();
        (status, body)
    };
    let with_layer = || routes().layer(RoomsLayer::new());
    assert_eq!(answer(with_layer(), "/main").await, (200, String::new()));
    let cases = [
        (routes(), "/main", "no `RoomsLayer` around this route"),
        (
            with_layer(),
            "/other",
            "namespace `/` is served as `Main`, not as `Other`",
        ),
        (
            with_layer(),
            "/nowhere",
            "namespace `Nowhere` (path `/nowhere`) is not mounted",
        ),
    ];
    for (router, path, expected) in cases {
        let (status, body) = answer(router, path).await;
        assert_eq!(status, 500, "{path}");
        assert!(body.starts_with(expected), "{body}");
    }
}

#[test]
fn rooms_have_names_of_their_own() {
    use demo::{ProjectId, Room, UserId};
    let cell = |path: &str, row| Room::Cell {
        project: ProjectId(1),
        path: path.to_owned(),
        row,
    };
    let names = [
        (Room::Project(ProjectId(42)), "project:42"),
        (Room::User(UserId("a:b%".into())), "user:a:b%"),
        (Room::Lobby, "lobby"),
        (cell("a:2", 3), "cell:1:a%3A2:3"),
        (cell("a%3A2", 3), "cell:1:a%253A2:3"),
        (cell("a", 23), "cell:1:a:23"),
    ];
    for (room, expected) in names {
        let mut name = String::new();
        RoomSet::write(&room, &mut name);
        assert_eq!(name, expected);
        assert_eq!(Room::parse(&name), Some(room));
    }
    for name in [
        "project:+42",
        "project:042",
        "project",
        "lobby:",
        "cell:1:2",
        "cell:1:%zz:2",
        "nope:1",
        "",
    ] {
        assert_eq!(Room::parse(name), None, "{name}");
    }
}

#[test]
fn generic_and_borrowed_events_have_one_name() {
    assert_eq!(demo::ProjectUpdated::<u8>::NAME, "project updated");
    assert_eq!(demo::Renamed::<'static>::NAME, "renamed");
    assert_eq!(
        demo::Renamed::<'static>::DOC,
        "Borrows what it sends, and knows its own room."
    );
    let arities = [
        demo::Maintenance::ARITY,
        demo::AddTask::ARITY,
        demo::CursorMoved::ARITY,
    ];
    assert_eq!(arities, [0, 1, 2]);
}

#[derive(Event, Serialize)]
#[event(server, broadcast)]
struct Told3(u8, String, bool);

#[derive(Event)]
#[event(server, ack = u8)]
struct Vote;

#[tokio::test]
async fn whatever_goes_out_to_a_socket_is_seen() {
    let notes = Notes::default();
    let seen = notes.clone();
    let rooms = RoomsLayer::new().namespace(
        Main::serve(())
            .on_any_outgoing(|_, event| assert_ne!(event.name(), "dealt", "on purpose"))
            .on_any_outgoing(move |socket, event| {
                let first = event.get::<u8>(0).ok();
                let (name, len) = (event.name(), event.len());
                seen.note(format!("{} {name} {first:?} of {len}", socket.id()));
            })
            .on_connect(async |socket: Socket<Main>| socket.join(Place::table(1)))
            .on(async |socket: Socket<Main>, Double(n): Double| {
                socket.emit(Told3(9, String::new(), true)).ok();
                socket.broadcast().emit(Told3(8, String::new(), true)).ok();
                n * 2
            })
            .on(async |socket: Socket<Main>, _: Silent| {
                let vote = async move { drop(socket.emit_with_ack(Vote).await) };
                vote.await;
            })
            .exceptions(),
    );
    let io = rooms.io::<Main>();
    let mut ann = Client::join(&rooms, "").await;
    let mut bob = Client::join(&rooms, "").await;
    let (a, b) = (ann.id().to_string(), bob.id().to_string());
    let sorted = || {
        let mut seen = notes.take();
        seen.sort();
        seen
    };
    let expect = |mut expected: Vec<String>| {
        expected.sort();
        expected
    };

    io.emit(Told3(7, "x".into(), false)).expect("a server");
    let told = |id: &str, n| format!("{id} told3 Some({n}) of 3");
    assert_eq!(sorted(), expect(vec![told(&a, 7), told(&b, 7)]));

    ann.send(r#"42["double",1]"#).await;
    for n in [7, 8] {
        let event = bob.next().await;
        assert!(event.starts_with(&format!(r#"42["told3",{n},"#)), "{event}");
    }
    assert_eq!(sorted(), expect(vec![told(&a, 9), told(&b, 8)]));

    bob.send(r#"42["silent",1]"#).await;
    assert_eq!(bob.next().await, r#"420["vote"]"#);
    assert_eq!(sorted(), [format!("{b} vote None of 0")]);

    ann.send(r#"42["nobody"]"#).await;
    for name in ["told3", "told3", "exception"] {
        let event = ann.next().await;
        assert!(event.starts_with(&format!(r#"42["{name}""#)), "{event}");
    }
    assert_eq!(sorted(), [format!("{a} exception None of 1")]);

    // An observer that panics concerns nobody else, and nobody is told of what goes to nobody.
    assert_eq!(io.publish(Dealt { table: 1 }).expect("a server").local, 2);
    assert_eq!(sorted().len(), 2);
    assert_eq!(io.publish(Dealt { table: 2 }).expect("a server").local, 0);
    assert_eq!(sorted(), [""; 0]);
}
