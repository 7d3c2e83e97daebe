//! Who hears what.

use crate::{Room, Said, enter, heard, said, serve};
use axum::{Router, extract::Path, routing::post};
use rooms_layer::{Error, Sent, prelude::*};
use rooms_tests::{
    client::Client,
    server::{self, request},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, sync::mpsc, task::yield_now};

/// Ann is in project 1, Bob in 1 and 2, Eve in none.
struct Scene {
    io: Io<Main>,
    ann: Client<TcpStream>,
    bob: Client<TcpStream>,
    eve: Client<TcpStream>,
}

impl Scene {
    async fn new() -> Self {
        let rooms = RoomsLayer::new().on(enter).on(tell).on(tell_all);
        let io = rooms.io::<Main>();
        let address = serve(rooms).await;
        let mut scene = Self {
            io,
            ann: Client::connect(address).await,
            bob: Client::connect(address).await,
            eve: Client::connect(address).await,
        };
        scene.ann.ask(r#"["enter",1]"#).await;
        scene.bob.ask(r#"["enter",1]"#).await;
        scene.bob.ask(r#"["enter",2]"#).await;
        scene
    }

    /// What each has heard, in the order in which it came.
    async fn heard(&mut self) -> [Vec<String>; 3] {
        self.io.emit(said("end")).expect("an open server");
        let mut all =
            [&mut self.ann, &mut self.bob, &mut self.eve].map(|client| (client, Vec::new()));
        for (client, list) in &mut all {
            *list = heard(client).await;
            list.pop();
        }
        all.map(|(_, list)| list)
    }
}

/// Tells a project, from the socket.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Tell(u32);

async fn tell(socket: Socket<Main>, Tell(project): Tell) -> bool {
    socket.to(Room::project(project)).emit(said("x")).is_ok()
}

/// Tells everybody, from the socket.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct TellAll;

async fn tell_all(socket: Socket<Main>, _: TellAll) -> bool {
    socket.broadcast().emit(said("x")).is_ok()
}

type Emit = fn(&Scene) -> Result<Sent, Error>;

#[tokio::test]
async fn an_emit_reaches_the_rooms_that_it_names_and_each_socket_once() {
    let cases: [(&str, Emit, [usize; 3]); 12] = [
        ("everybody", |on| on.io.emit(said("x")), [1, 1, 1]),
        (
            "a room",
            |on| on.io.to(Room::project(1)).emit(said("x")),
            [1, 1, 0],
        ),
        (
            "another room",
            |on| on.io.to(Room::project(2)).emit(said("x")),
            [0, 1, 0],
        ),
        (
            "nobody's room",
            |on| on.io.to(Room::project(3)).emit(said("x")),
            [0, 0, 0],
        ),
        (
            "no room",
            |on| on.io.to([0; 0].map(Room::project)).emit(said("x")),
            [0, 0, 0],
        ),
        (
            "two rooms",
            |on| {
                on.io
                    .to(Room::project(1))
                    .to(Room::project(2))
                    .emit(said("x"))
            },
            [1, 1, 0],
        ),
        (
            "a list of rooms",
            |on| on.io.to([1, 2, 1].map(Room::project)).emit(said("x")),
            [1, 1, 0],
        ),
        (
            "one's own id",
            |on| on.io.to(on.eve.id()).emit(said("x")),
            [0, 0, 1],
        ),
        (
            "a room and an id",
            |on| {
                on.io
                    .to(Room::project(2))
                    .to(on.eve.id())
                    .to(on.bob.id())
                    .emit(said("x"))
            },
            [0, 1, 1],
        ),
        (
            "all but a room",
            |on| on.io.except(Room::project(2)).emit(said("x")),
            [1, 0, 1],
        ),
        (
            "a room but another",
            |on| {
                on.io
                    .to(Room::project(1))
                    .except(Room::project(2))
                    .emit(said("x"))
            },
            [1, 0, 0],
        ),
        (
            "a room but an id",
            |on| {
                on.io
                    .to(Room::project(1))
                    .except(on.ann.id())
                    .emit(said("x"))
            },
            [0, 1, 0],
        ),
    ];
    for (name, emit, expected) in cases {
        let mut scene = Scene::new().await;
        let sent = emit(&scene).expect("an open server");
        assert_eq!(
            sent.local,
            expected.iter().sum::<usize>(),
            "{name}: what the emit says"
        );
        let heard = scene.heard().await;
        assert_eq!(
            heard.map(|list| list.len()),
            expected,
            "{name}: what is heard"
        );
    }
}

#[tokio::test]
async fn who_emits_from_a_socket_is_left_out() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.ann.ask(r#"["tell",1]"#).await, "[true]");
    assert_eq!(scene.ann.ask(r#"["tell",2]"#).await, "[true]");
    assert_eq!(scene.heard().await.map(|list| list.len()), [0, 2, 0]);
    assert_eq!(scene.eve.ask(r#"["tell_all"]"#).await, "[true]");
    assert_eq!(scene.heard().await.map(|list| list.len()), [1, 1, 0]);
}

/// The documents of Socket.IO 3 warn of operators that were shared: `io.to("a")` kept across an await was changed by others.
#[tokio::test]
async fn to_is_a_value_that_keeps_its_rooms() {
    let mut scene = Scene::new().await;
    let one = scene.io.to(Room::project(1));
    let two = scene.io.to(Room::project(2));
    let one_without_bob = one.clone().except(scene.bob.id());
    for (to, text) in [
        (&two, "2"),
        (&one, "1"),
        (&one_without_bob, "1 without Bob"),
        (&one, "1 again"),
    ] {
        yield_now().await;
        to.emit(said(text)).expect("an open server");
        scene
            .io
            .to(Room::project(3))
            .emit(said("elsewhere"))
            .expect("an open server");
    }
    assert_eq!(
        scene.heard().await,
        [
            vec!["1", "1 without Bob", "1 again"],
            vec!["2", "1", "1 again"],
            vec![]
        ]
    );
}

#[tokio::test]
async fn a_plain_http_handler_emits_to_a_room() {
    async fn rename(io: Io<Main>, Path(project): Path<u32>, name: String) -> Result<String, Error> {
        let sent = io.to(Room::project(project)).emit(Said(name))?;
        Ok(sent.local.to_string())
    }
    let rooms = RoomsLayer::new().on(enter);
    let io = rooms.io::<Main>();
    let app = Router::new()
        .route("/projects/{id}", post(rename))
        .layer(rooms);
    let address = server::serve(app).await;
    let (mut ann, mut eve) = (
        Client::connect(address).await,
        Client::connect(address).await,
    );
    ann.ask(r#"["enter",7]"#).await;

    for (project, reached) in [(7, "1"), (8, "0")] {
        let response = request(address, &format!("POST /projects/{project}"), "a new name").await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.ends_with(reached), "{response}");
    }
    io.emit(said("end")).expect("an open server");
    assert_eq!(heard(&mut ann).await, ["a new name", "end"]);
    assert_eq!(heard(&mut eve).await, ["end"]);
}

#[tokio::test]
async fn rooms_are_there_in_disconnecting_and_gone_in_disconnect() {
    type Seen = (&'static str, DisconnectReason, Vec<Room>, bool, usize);
    let (tell, mut seen) = mpsc::unbounded_channel::<Seen>();
    let told = tell.clone();
    let see = |stage, socket: Socket<Main>, reason, tell: mpsc::UnboundedSender<Seen>| async move {
        let rooms = socket.rooms::<Room>();
        let is_in = socket.is_in(Room::project(1));
        let members = socket.io().to(Room::project(1)).count().await;
        tell.send((stage, reason, rooms, is_in, members))
            .map_err(|error| error.to_string())
    };
    let main = Main::serve(())
        .on(enter)
        .on_disconnecting(move |socket, why| see("disconnecting", socket, why, tell.clone()))
        .on_disconnect(move |socket, why| see("disconnect", socket, why, told.clone()));
    let rooms = RoomsLayer::new().namespace(main);
    let io = rooms.io::<Main>();
    let address = serve(rooms).await;

    type Leave = fn(Client<TcpStream>, Io<Main>) -> futures_util::future::BoxFuture<'static, ()>;
    let ways: [(Leave, DisconnectReason); 3] = [
        (
            |mut client, _| Box::pin(async move { client.send("41").await }),
            DisconnectReason::ClientNamespaceDisconnect,
        ),
        (
            |client, _| Box::pin(async move { drop(client) }),
            DisconnectReason::TransportClose,
        ),
        (
            |mut client, io| {
                Box::pin(async move {
                    let gone = io.to(Room::project(1)).disconnect_sockets().await;
                    gone.expect("there is one server only");
                    assert_eq!(client.next().await, "41");
                })
            },
            DisconnectReason::ServerNamespaceDisconnect,
        ),
    ];
    for (leave, reason) in ways {
        let mut client = Client::connect(address).await;
        client.ask(r#"["enter",1]"#).await;
        client.ask(r#"["enter",2]"#).await;
        leave(client, io.clone()).await;

        let (stage, why, mut rooms, ..) = seen.recv().await.expect("a hook runs");
        rooms.sort_by_key(|room| format!("{room:?}"));
        assert_eq!((stage, why), ("disconnecting", reason));
        assert_eq!(rooms, [Room::Project(1), Room::Project(2)]);
        let (stage, why, rooms, is_in, members) = seen.recv().await.expect("a hook runs");
        assert_eq!(
            (stage, why, is_in, members),
            ("disconnect", reason, false, 0)
        );
        assert_eq!(rooms, []);
    }
    assert_eq!(io.rooms::<Room>(), [], "an empty room is forgotten");
}
