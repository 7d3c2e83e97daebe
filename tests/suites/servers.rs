//! What servers of a cluster ask and tell each other, over an adapter that joins them within this process.

use rooms_layer::{
    NoData,
    bounds::CanServerEmit,
    prelude::*,
    test::Client,
    wire::{DataWriter, Value},
};
use rooms_tests::same_process::SameProcess;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A server of a cluster within this process.
type Server = RoomsLayer<SameProcess>;

#[derive(Room, Debug, PartialEq, Clone)]
enum Room {
    Project(u32),
}

#[derive(Default, Serialize, Deserialize, Debug, PartialEq)]
struct Session {
    user: String,
}

#[derive(Deserialize, Serialize)]
struct Token {
    user: String,
}

#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(server, broadcast)]
struct Said(String);

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
struct Enter(u32);

#[derive(Namespace)]
#[namespace(path = "/", auth = Token, data = Session, rooms(Room), client(Enter), server(Said))]
struct App;

/// The app, to be completed: its type is long.
macro_rules! app {
    () => {
        App::serve(())
            .authorize(async |handshake: Handshake<App>| {
                let user = handshake.auth.user;
                Ok(Session { user })
            })
            .on(async |socket: Socket<App>, Enter(project): Enter| {
                socket.join(Room::project(project));
            })
    };
}

async fn user(rooms: &Server, user: &str) -> Client<App> {
    let user = user.to_owned();
    Client::connect(rooms, Token { user }).await.unwrap()
}

fn two_servers() -> (SameProcess, Server, Server) {
    let cluster = SameProcess::default();
    let server = |number| RoomsLayer::with_adapter(cluster.another(number));
    let first = server(1).namespace(app!().build());
    let second = server(2).namespace(app!().build());
    (cluster, first, second)
}

#[tokio::test]
async fn sockets_of_all_servers_are_found_and_can_be_reached() {
    let (_, first, second) = two_servers();
    let ann = user(&first, "ann").await;
    let mut bob = user(&second, "bob").await;
    let io = first.io::<App>();
    io.to(bob.id()).join(Room::project(7));

    let mut sockets = io.fetch_sockets().await.unwrap();
    sockets.sort_by_key(|socket| socket.data().unwrap().user);
    let [one, two] = &sockets[..] else {
        panic!("{sockets:?}");
    };
    assert_eq!((one.id(), two.id()), (ann.id(), bob.id()));
    assert_eq!(
        one.data().unwrap(),
        Session {
            user: "ann".to_owned()
        }
    );
    assert_eq!(two.rooms::<Room>(), [Room::Project(7)]);
    assert_eq!(two.room_names().count(), 2);
    assert!(two.handshake().unwrap().url.starts_with("/socket.io/"));

    two.emit(Said("hello".to_owned())).unwrap();
    assert_eq!(bob.expect::<Said>().await, Said("hello".to_owned()));
    two.leave(Room::project(7)).await.unwrap();
    two.join([Room::project(8), Room::project(9)])
        .await
        .unwrap();
    let there = io.to(Room::project(8)).fetch_sockets().await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].rooms::<Room>().len(), 2);
    assert_eq!(io.to(Room::project(7)).cluster_count().await, Ok(0));
    assert_eq!(io.cluster_count().await, Ok(2));
    assert_eq!(io.count().await, 1, "here");
    let mut rooms = io.cluster_rooms::<Room>().await.unwrap();
    rooms.sort_by_key(|Room::Project(project)| *project);
    assert_eq!(rooms, [Room::Project(8), Room::Project(9)]);
    assert_eq!(io.local().fetch_sockets().await.unwrap().len(), 1);

    two.disconnect().await.unwrap();
    bob.disconnected().await;
    assert_eq!(io.cluster_count().await, Ok(1));
    one.close().await.unwrap();
    assert_eq!(io.cluster_count().await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn what_arrived_is_in_the_error_where_servers_are_missing() {
    let (cluster, first, second) = two_servers();
    let _ann = user(&first, "ann").await;
    let _bob = user(&second, "bob").await;
    cluster.silent(2);
    let io = first.io::<App>();

    let asked = tokio::time::Instant::now();
    let timeout = Duration::from_secs(3);
    let incomplete = io.timeout(timeout).fetch_sockets().await.unwrap_err();
    assert_eq!((incomplete.arrived.len(), incomplete.missing), (2, 2));
    assert!(asked.elapsed() >= timeout && asked.elapsed() < timeout * 2);
    let error = rooms_layer::Error::from(incomplete).to_string();
    assert_eq!(error, "2 servers of the cluster have not answered");

    let incomplete = io.timeout(timeout).cluster_count().await.unwrap_err();
    assert_eq!((incomplete.arrived, incomplete.missing), (2, 2));
    let incomplete = io.cluster_rooms::<Room>().await.unwrap_err();
    assert_eq!((incomplete.arrived, incomplete.missing), (vec![], 2));
}

#[tokio::test]
async fn data_that_can_not_be_serialised_is_not_told() {
    struct Secret;
    impl Default for Secret {
        fn default() -> Self {
            Self
        }
    }
    impl<'de> Deserialize<'de> for Secret {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer).map(|_| Self)
        }
    }
    #[derive(Namespace)]
    #[namespace(path = "/", data = Secret)]
    struct Silent;

    let rooms = RoomsLayer::new().namespace(Silent::serve(()));
    let _client = Client::<Silent>::connect(&rooms, ()).await.unwrap();
    let sockets = rooms.io::<Silent>().fetch_sockets().await.unwrap();
    assert!(matches!(sockets[0].data(), Err(NoData::NotTold)));
    // Nothing at all is always there.
    let rooms = RoomsLayer::new();
    let _client = Client::<Main>::connect(&rooms, ()).await.unwrap();
    let sockets = rooms.io::<Main>().fetch_sockets().await.unwrap();
    sockets[0].data().unwrap();
}

/// How many sockets a server has.
#[derive(Event, Serialize, Deserialize)]
#[event(cluster, ack = usize)]
struct CountSockets;

/// Divides.
#[derive(Event, Serialize, Deserialize)]
#[event(cluster, ack = Result<u32, Problem>)]
struct Divide(u32, u32);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Problem(String);

impl From<rooms_layer::Error> for Problem {
    fn from(error: rooms_layer::Error) -> Self {
        Self(error.to_string())
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(cluster)]
struct Reload {
    what: String,
}

#[derive(Event, Serialize, Deserialize)]
#[event(cluster)]
struct Fail;

fn listening(server: SameProcess, heard: &tokio::sync::mpsc::UnboundedSender<String>) -> Server {
    let heard = heard.clone();
    let app = app!()
        .on_server_event(async |io: Io<App>, _: CountSockets| io.count().await)
        .on_server_event(async |_: Io<App>, Divide(a, b): Divide| {
            a.checked_div(b)
                .ok_or_else(|| Problem("by zero".to_owned()))
        })
        .on_server_event(async |_: Io<App>, _: Fail| -> () { panic!("on purpose") })
        .on_server_event(move |_: Io<App>, Reload { what }: Reload| {
            let heard = heard.clone();
            async move { heard.send(what).unwrap() }
        });
    RoomsLayer::with_adapter(server).namespace(app.build())
}

async fn count<A: CanServerEmit>(io: &Io<App, A>) -> (usize, usize) {
    let (mut count, mut answers) = (0, io.server_side_emit_with_ack(CountSockets).unwrap());
    while let Some(one) = answers.next().await {
        count += one.unwrap();
    }
    (count, answers.missing())
}

fn with_bus(rooms: &Server) -> Io<App, SameProcess> {
    rooms.io_with::<App>()
}

#[tokio::test(start_paused = true)]
async fn servers_hear_what_others_tell_and_answer() {
    let cluster = SameProcess::default();
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let servers = [1, 2, 3].map(|number| listening(cluster.another(number), &heard));
    for server in &servers {
        server.check().unwrap();
    }
    let _clients = [
        user(&servers[1], "ann").await,
        user(&servers[2], "bob").await,
        user(&servers[2], "eve").await,
    ];
    let io = with_bus(&servers[0]);
    // Nobody has joined the first one, which knows the others all the same.
    let _first = user(&servers[0], "me").await;

    io.server_side_emit(Reload {
        what: "settings".to_owned(),
    })
    .unwrap()
    .await
    .unwrap();
    // The others hear it, once each; this server does not.
    assert_eq!(hears.recv().await.unwrap(), "settings");
    assert_eq!(hears.recv().await.unwrap(), "settings");
    assert_eq!(count(&io).await, (3, 0));
    assert!(hears.try_recv().is_err());

    let mut answers = io.server_side_emit_with_ack(Divide(6, 3)).unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(2));
    assert_eq!(answers.next().await.unwrap().unwrap(), Ok(2));
    assert!(answers.next().await.is_none());
    let mut answers = io.server_side_emit_with_ack(Divide(6, 0)).unwrap();
    assert_eq!(
        answers.next().await.unwrap().unwrap(),
        Err(Problem("by zero".to_owned()))
    );

    // A handler that panics harms nobody.
    io.server_side_emit(Fail).unwrap();
    assert_eq!(count(&io).await, (3, 0));
    cluster.silent(1);
    assert_eq!(count(&io).await, (3, 1));
}

#[tokio::test]
async fn a_server_event_that_does_not_fit_is_no_harm() {
    let alone = SameProcess::default();
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let server = listening(alone.clone(), &heard);
    server.check().unwrap();
    let _client = user(&server, "ann").await;
    let local = alone.local("/").unwrap();
    let reload = |arguments: &[Value]| {
        let mut out = DataWriter::event("reload");
        arguments
            .iter()
            .for_each(|argument| out.push(argument).unwrap());
        local.hear(out.finish())
    };
    assert!(reload(&[]).await.is_none());
    assert!(reload(&[Value::Int(7)]).await.is_none());
    assert!(hears.try_recv().is_err());
    let what = Value::Object(vec![("what".to_owned(), "x".into())]);
    assert!(reload(&[what, "surplus".into()]).await.is_none());
    assert_eq!(hears.recv().await.unwrap(), "x");
    let unknown = DataWriter::event("nobody's").finish();
    assert!(local.hear(unknown).await.is_none());
}

#[test]
fn two_handlers_of_one_server_event_are_found_at_the_start() {
    let app = app!()
        .on_server_event(async |_: Io<App>, _: Reload| {})
        .on_server_event(async |_: Io<App>, _: Reload| {});
    let error = RoomsLayer::new()
        .namespace(app.build())
        .check()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("event `reload` of namespace `App` has two handlers"),
        "{error}"
    );
}

/// Whether all agree.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, ack = bool)]
struct Agree;

#[tokio::test(start_paused = true)]
async fn acknowledgements_tell_how_many_servers_are_missing() {
    let cluster = SameProcess::default();
    let servers = [1, 2].map(|number| RoomsLayer::with_adapter(cluster.another(number)));
    let mut near = Client::<Main>::connect(&servers[0], ()).await.unwrap();
    let mut far = Client::<Main>::connect(&servers[1], ()).await.unwrap();
    let io = servers[0].io::<Main>();
    for silent in [0, 2] {
        cluster.silent(silent);
        let mut answers = io.emit_with_ack(Agree).unwrap();
        near.answer(|_: Agree| true).await;
        far.answer(|_: Agree| true).await;
        let mut agree = 0;
        while let Some((_, answer)) = answers.next().await {
            agree += usize::from(answer.unwrap());
        }
        assert_eq!((agree, answers.missing_servers()), (2, silent));
    }
}
