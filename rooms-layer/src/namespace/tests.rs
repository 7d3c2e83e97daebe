//! Conversations over a duplex in memory, with handlers that note what they are called for.

mod limits;
mod observed;
mod recovery;
mod room_events;
mod v3;

use super::{
    BoxFuture, ConnectRequest, Contract, Conversation, Event, Handlers, Hub, Namespace,
    NamespaceConfig, Peer, Refuse, Reply, SlowClients, SocketData,
};
use crate::{
    engine::{EngineConfig, Revision},
    handshake::HandshakeInfo,
    memory::InMemory,
    rooms::{AckError, Flags, Selection},
    session::DisconnectReason,
    transport::stream_pipe,
    wire::{Args, Data, DataWriter, Value},
};
use futures_util::{SinkExt, StreamExt};
use std::{
    any::TypeId,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, protocol::Role},
};

mod msgpack;

/// Handlers that note their calls. What an event does is in its name.
#[derive(Default)]
struct Notes {
    calls: Mutex<Vec<String>>,
    changed: Notify,
    /// Events named `wait` take a permit before they end.
    permits: Option<Semaphore>,
    one_at_a_time: AtomicBool,
    slow_clients: SlowClients,
    peers: Mutex<Vec<Arc<Peer>>>,
}

impl Notes {
    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
        self.changed.notify_waiters();
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits until this many calls were noted.
    async fn wait_for(&self, count: usize) -> Vec<String> {
        loop {
            let changed = self.changed.notified();
            let calls = self.calls();
            if calls.len() >= count {
                return calls;
            }
            changed.await;
        }
    }

    fn permits(&self) -> &Semaphore {
        self.permits
            .as_ref()
            .expect("a test that waits has permits")
    }

    fn peer(&self, n: usize) -> Arc<Peer> {
        self.peers.lock().unwrap()[n].clone()
    }
}

/// The rooms of a peer that are not its own.
fn rooms(peer: &Peer) -> Vec<String> {
    let mut rooms = peer.rooms();
    rooms.retain(|room| room != peer.id().as_str());
    rooms.sort();
    rooms
}

fn ack(value: &str) -> Data {
    let mut data = DataWriter::ack();
    data.push(value).unwrap();
    data.finish()
}

fn event(name: &str) -> Data {
    DataWriter::event(name).finish()
}

struct Noting(Arc<Notes>);

impl Handlers for Noting {
    fn authorize(&self, request: ConnectRequest) -> BoxFuture<Result<SocketData, Refuse>> {
        Box::pin(async move {
            let auth: Value = request.auth.get(0).unwrap();
            match auth.get("token").and_then(Value::as_str) {
                Some("panic") => panic!("no"),
                Some("never") => std::future::pending().await,
                Some("bad") => Err(Refuse::new("bad token").with_data(&401).unwrap()),
                _ => Ok(Arc::new(()) as SocketData),
            }
        })
    }

    fn connected(&self, peer: &Arc<Peer>) -> Option<BoxFuture<()>> {
        self.0.peers.lock().unwrap().push(peer.clone());
        self.0.note("connected");
        None
    }

    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Box::pin(async move {
            let first: Option<String> = event.args().get(0).unwrap();
            let what = first.unwrap_or_default();
            notes.note(format!("{} {what}", event.name()));
            match event.name() {
                "join" => drop(peer.join(vec![what.clone().into()])),
                "wait" => {
                    notes.permits().acquire().await.unwrap().forget();
                    notes.note(format!("done {what}"));
                }
                "ask" => {
                    let answer = peer
                        .emit_with_ack(super::tests::event("question"), MINUTE)
                        .await;
                    let answer: String = answer.unwrap().get(0).unwrap();
                    notes.note(format!("answer {answer}"));
                }
                "panic" => panic!("on purpose"),
                "late panic" => {
                    tokio::task::yield_now().await;
                    panic!("on purpose")
                }
                "leave me" => peer.disconnect(false),
                "close me" => peer.disconnect(true),
                _ => {}
            }
            if let Some(reply) = event.reply {
                reply.send(ack(&what));
            }
        })
    }

    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Some(Box::pin(async move {
            notes.note(format!("disconnecting {reason} {:?}", rooms(&peer)));
            tokio::task::yield_now().await;
            // What was readable at first still is.
            assert_eq!(peer.is_in("a"), rooms(&peer).contains(&"a".to_owned()));
        }))
    }

    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Some(Box::pin(async move {
            notes.note(format!("disconnected {reason} {:?}", peer.rooms()));
        }))
    }

    fn describe(&self, _peer: &Peer) -> Option<String> {
        None
    }

    fn hear(
        &self,
        _namespace: Arc<Namespace>,
        _event: &str,
        _args: Args,
    ) -> Option<BoxFuture<Option<Data>>> {
        None
    }

    fn watches_outgoing(&self) -> bool {
        false
    }

    fn outgoing(&self, _peer: &Arc<Peer>, _event: &str, _args: &Args) {}

    fn one_at_a_time(&self) -> bool {
        self.0.one_at_a_time.load(Ordering::Relaxed)
    }

    fn slow_clients(&self) -> SlowClients {
        self.0.slow_clients
    }

    fn panicked(&self, _peer: &Arc<Peer>, event: &str, reply: Option<Reply>) {
        self.0.note(format!("panicked in {event}"));
        if let Some(reply) = reply {
            reply.send(ack("sorry"));
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn contract<T: 'static>() -> Contract {
    Contract {
        id: TypeId::of::<T>(),
        name: std::any::type_name::<T>(),
    }
}

struct House {
    hub: Arc<Hub>,
    notes: Arc<Notes>,
    main: Arc<Namespace>,
}

fn house() -> House {
    house_with(Notes::default(), NamespaceConfig::default())
}

/// What most houses have: `/` and another one.
fn usual() -> [(&'static str, Contract); 2] {
    [("/", contract::<()>()), ("/side", contract::<u8>())]
}

fn house_with(notes: Notes, config: NamespaceConfig) -> House {
    house_of(&usual(), notes, config)
}

fn house_of(mounted: &[(&str, Contract)], notes: Notes, config: NamespaceConfig) -> House {
    let hub = Hub::new(Box::new(InMemory));
    assert!(hub.configure(config));
    house_on(hub, mounted, notes)
}

fn house_on(hub: Arc<Hub>, mounted: &[(&str, Contract)], notes: Notes) -> House {
    let notes = Arc::new(notes);
    let handlers: Arc<dyn Handlers> = Arc::new(Noting(notes.clone()));
    for &(path, contract) in mounted {
        hub.mount(path, contract, handlers.clone()).unwrap();
    }
    let (first, contract) = mounted[0];
    let main = hub.namespace(first, contract).unwrap();
    House { hub, notes, main }
}

struct Client {
    stream: WebSocketStream<DuplexStream>,
    task: JoinHandle<()>,
}

impl House {
    async fn visit(&self) -> Client {
        self.visit_with_buffer(64 * 1024).await
    }

    async fn visit_with_buffer(&self, buffer: usize) -> Client {
        self.visit_of(Revision::V4, buffer).await
    }

    async fn visit_of(&self, revision: Revision, buffer: usize) -> Client {
        self.enter(revision, buffer).await.0
    }

    /// A client, and the open packet that it was sent.
    async fn enter(&self, revision: Revision, buffer: usize) -> (Client, String) {
        let (ours, theirs) = duplex(buffer);
        let uri = "/socket.io/".parse().unwrap();
        let info = Arc::new(HandshakeInfo::new(&uri, &http::HeaderMap::new()));
        let engine = self.hub.engine();
        let connection = engine.connect(
            engine.reserve(),
            revision,
            stream_pipe(ours),
            &[],
            |mailbox| Conversation::new(self.hub.clone(), mailbox.clone(), info),
        );
        let task = tokio::spawn(connection);
        let stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let mut client = Client { stream, task };
        let open = client.next().await;
        assert!(open.starts_with("0{"));
        (client, open)
    }

    /// A client that is in `/`.
    async fn member(&self) -> Client {
        let mut client = self.visit().await;
        client.send("40").await;
        assert!(client.next().await.starts_with(r#"40{"sid":""#));
        client
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        let frame = tungstenite::Message::text(text.to_owned());
        self.stream.send(frame).await.unwrap();
    }

    async fn next(&mut self) -> String {
        match self.stream.next().await.expect("a frame").unwrap() {
            tungstenite::Message::Text(text) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The connection ends; the texts that come before.
    async fn end(mut self) -> Vec<String> {
        let mut before = Vec::new();
        while let Some(Ok(frame)) = self.stream.next().await {
            if let tungstenite::Message::Text(text) = frame {
                before.push(text.to_string());
            }
        }
        self.task.await.unwrap();
        before
    }

    async fn leave(mut self) {
        self.stream.close(None).await.unwrap();
        self.end().await;
    }
}

#[tokio::test]
async fn clients_are_let_in_or_refused() {
    let house = house();
    let mut client = house.visit().await;
    client.send(r#"40{"token":"bad"}"#).await;
    assert_eq!(
        client.next().await,
        r#"44{"message":"bad token","data":401}"#
    );
    client.send(r#"40{"token":"panic"}"#).await;
    assert_eq!(client.next().await, r#"44{"message":"internal error"}"#);
    client.send("40/nowhere,").await;
    assert_eq!(
        client.next().await,
        r#"44/nowhere,{"message":"Invalid namespace"}"#
    );
    client.send("40/side,{}").await;
    assert!(client.next().await.starts_with(r#"40/side,{"sid":""#));
    client.send("40").await;
    assert!(client.next().await.starts_with(r#"40{"sid":""#));
    assert_eq!(house.notes.calls(), ["connected", "connected"]);
    let (side, main) = (house.notes.peer(0), house.notes.peer(1));
    assert_ne!(side.id(), main.id());
    assert_eq!(main.rooms(), [main.id().to_string()]);
}

#[tokio::test]
async fn what_is_against_the_rules_ends_the_connection() {
    let cases: [&[&str]; 8] = [
        &[r#"42["early"]"#],
        &[r#"42/side,["elsewhere"]"#],
        &["430[]"],
        &["41"],
        &["40", "40"],
        &["44{}"],
        &["42[]"],
        &[r#"42["disconnect"]"#],
    ];
    for packets in cases {
        let house = house();
        let mut bystander = house.member().await;
        let mut client = house.visit().await;
        for packet in packets {
            client.send(packet).await;
        }
        client.end().await;
        bystander.send(r#"421["fine","x"]"#).await;
        assert_eq!(bystander.next().await, r#"431["x"]"#, "{packets:?}");
    }
}

#[tokio::test]
async fn events_are_handled_and_acknowledged_in_order() {
    let house = house();
    let mut client = house.member().await;
    for n in 0..5 {
        client.send(&format!(r#"42{n}["e","{n}"]"#)).await;
    }
    for n in 0..5 {
        assert_eq!(client.next().await, format!(r#"43{n}["{n}"]"#));
    }
    let calls = house.notes.calls();
    assert_eq!(calls[1..], ["e 0", "e 1", "e 2", "e 3", "e 4"]);
}

#[tokio::test]
async fn a_handler_may_ask_its_own_client() {
    // Even when no other handler may run beside it, and events are waiting.
    let config = NamespaceConfig {
        max_running_handlers: 1,
        ..NamespaceConfig::default()
    };
    let house = house_with(Notes::default(), config);
    let mut client = house.member().await;
    client.send(r#"42["ask"]"#).await;
    for n in 0..10 {
        client.send(&format!(r#"42["parked","{n}"]"#)).await;
    }
    assert_eq!(client.next().await, r#"420["question"]"#);
    client.send(r#"430["yes"]"#).await;
    let calls = house.notes.wait_for(13).await;
    assert_eq!(calls[1..4], ["ask ", "answer yes", "parked 0"]);
}

#[tokio::test]
async fn handlers_run_side_by_side_up_to_a_bound() {
    let config = NamespaceConfig {
        max_running_handlers: 3,
        ..NamespaceConfig::default()
    };
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        ..Notes::default()
    };
    let house = house_with(notes, config);
    let mut client = house.member().await;
    for n in 0..5 {
        client.send(&format!(r#"42["wait","{n}"]"#)).await;
    }
    house.notes.wait_for(4).await;
    client.send("40/side,").await;
    // The reply to what was sent last shows that the rest was read and kept back.
    assert!(client.next().await.starts_with("40/side,"));
    let calls = house.notes.calls();
    assert_eq!(calls[1..], ["wait 0", "wait 1", "wait 2", "connected"]);
    house.notes.permits().add_permits(5);
    let calls = house.notes.wait_for(11).await;
    for n in 0..5 {
        assert!(calls.contains(&format!("done {n}")), "{calls:?}");
    }
}

#[tokio::test]
async fn one_at_a_time_means_one_at_a_time() {
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        one_at_a_time: AtomicBool::new(true),
        ..Notes::default()
    };
    let house = house_with(notes, NamespaceConfig::default());
    let (mut ann, mut bob) = (house.member().await, house.member().await);
    for client in [&mut ann, &mut bob] {
        client.send(r#"42["wait","1"]"#).await;
        client.send(r#"42["wait","2"]"#).await;
    }
    // One socket does not wait for another.
    let calls = house.notes.wait_for(4).await;
    assert_eq!(calls[2..], ["wait 1", "wait 1"]);
    house.notes.permits().add_permits(4);
    let calls = house.notes.wait_for(10).await;
    let second = calls.iter().position(|call| call == "wait 2").unwrap();
    assert!(calls[..second].contains(&"done 1".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn reading_stops_when_too_much_waits_and_goes_on_afterwards() {
    let config = NamespaceConfig {
        max_running_handlers: 1,
        max_parked_bytes: 4_000,
        ..NamespaceConfig::default()
    };
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        ..Notes::default()
    };
    let house = house_with(notes, config);
    let mut client = house.visit_with_buffer(1_000).await;
    client.send("40").await;
    client.next().await;
    let (mut sender, mut receiver) = client.stream.split();
    let sending = tokio::spawn(async move {
        for n in 0..100 {
            let padding = " ".repeat(500);
            let packet = format!(r#"42["wait",{padding}"{n}"]"#);
            sender
                .send(tungstenite::Message::text(packet))
                .await
                .unwrap();
        }
        sender
    });
    house.notes.wait_for(2).await;
    // Neither the server's memory nor the duplex takes all of it.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!sending.is_finished());
    house.notes.permits().add_permits(100);
    let calls = house.notes.wait_for(201).await;
    let handled: Vec<_> = calls
        .iter()
        .filter(|call| call.starts_with("wait"))
        .collect();
    let expected: Vec<_> = (0..100).map(|n| format!("wait {n}")).collect();
    assert_eq!(handled, expected.iter().collect::<Vec<_>>());
    sending.await.unwrap().close().await.unwrap();
    while receiver.next().await.is_some() {}
}

#[tokio::test]
async fn rooms_can_be_read_while_disconnecting_and_are_left_after() {
    let house = house();
    let mut client = house.member().await;
    client.send(r#"42["join","a"]"#).await;
    client.send(r#"420["join","b"]"#).await;
    client.next().await;
    assert_eq!(house.main.count(&Selection::of(["a"])), 1);
    client.send("41").await;
    client.send("40").await;
    assert!(client.next().await.starts_with("40{"), "it may come back");
    let calls = house.notes.wait_for(6).await;
    let left = "client namespace disconnect";
    assert_eq!(calls[3], format!(r#"disconnecting {left} ["a", "b"]"#));
    assert!(
        calls.contains(&format!("disconnected {left} []")),
        "{calls:?}"
    );
    assert_eq!(house.main.count(&Selection::of(["a"])), 0);
    let mine = house.notes.peer(1);
    assert_eq!(house.main.rooms(), [mine.id().as_str()]);
    assert!(!house.notes.peer(0).is_connected());
    client.leave().await;
    let calls = house.notes.calls();
    assert_eq!(
        calls[6..],
        [
            "disconnecting transport close []",
            "disconnected transport close []"
        ]
    );
    assert_eq!(house.main.count(&Selection::everybody()), 0);
}

#[tokio::test]
async fn what_was_sent_before_leaving_is_begun_before_the_hooks() {
    let config = NamespaceConfig {
        max_running_handlers: 1,
        ..NamespaceConfig::default()
    };
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        ..Notes::default()
    };
    let house = house_with(notes, config);
    let mut client = house.member().await;
    for packet in [
        r#"42["wait","1"]"#,
        r#"42["wait","2"]"#,
        r#"42["e","3"]"#,
        "41",
    ] {
        client.send(packet).await;
    }
    let calls = house.notes.wait_for(6).await;
    assert_eq!(calls[1..4], ["wait 1", "wait 2", "e 3"]);
    assert!(calls[4].starts_with("disconnecting"), "{calls:?}");
    house.notes.permits().add_permits(2);
    client.leave().await;
    assert!(house.notes.calls().contains(&"done 2".to_owned()));
}

#[tokio::test]
async fn one_at_a_time_the_hooks_come_last() {
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        one_at_a_time: AtomicBool::new(true),
        ..Notes::default()
    };
    let house = house_with(notes, NamespaceConfig::default());
    let mut client = house.member().await;
    for packet in [
        r#"420["join","a"]"#,
        r#"42["wait","1"]"#,
        r#"42["e","2"]"#,
        "41",
    ] {
        client.send(packet).await;
    }
    client.next().await;
    client.send("40/side,").await;
    client.next().await;
    // Its rooms are left at once, whatever its handlers wait for.
    assert_eq!(house.main.count(&Selection::of(["a"])), 0);
    assert_eq!(house.notes.calls()[2..], ["wait 1", "connected"]);
    house.notes.permits().add_permits(1);
    let calls = house.notes.wait_for(8).await;
    let reason = "client namespace disconnect";
    let hooks = [
        format!(r#"disconnecting {reason} ["a"]"#),
        format!("disconnected {reason} []"),
    ];
    assert_eq!(calls[4..6], ["done 1", "e 2"]);
    assert_eq!(calls[6..], hooks);
}

#[tokio::test]
async fn the_server_takes_leave_of_one_namespace_or_of_all() {
    let house = house();
    let mut client = house.member().await;
    client.send("40/side,").await;
    client.next().await;
    client.send(r#"42["leave me"]"#).await;
    assert_eq!(client.next().await, "41");
    client.send(r#"42/side,7["still here"]"#).await;
    assert_eq!(client.next().await, r#"43/side,7[""]"#);
    client.send("40").await;
    assert!(client.next().await.starts_with("40{"));
    client.send(r#"42["close me"]"#).await;
    assert_eq!(client.end().await, ["41", "41/side,"]);
    let calls = house.notes.calls();
    let of_server = |call: &&String| call.starts_with("disconnected server namespace disconnect");
    assert_eq!(calls.iter().filter(of_server).count(), 3, "{calls:?}");
}

#[tokio::test]
async fn nothing_follows_the_farewell_of_the_server() {
    let house = house();
    let mut client = house.member().await;
    let peer = house.notes.peer(0);
    peer.join(vec!["a".into()]).await.unwrap();
    peer.disconnect(false);
    // Before the connection's task has looked.
    let sent = house
        .main
        .emit(&Selection::everybody(), Flags::default(), event("late"));
    assert_eq!(sent.unwrap().local, 0);
    let answer = peer.emit_with_ack(event("late"), MINUTE).await;
    assert!(matches!(answer, Err(AckError::Disconnected)));
    assert_eq!(client.next().await, "41");
    client.send("40").await;
    assert!(client.next().await.starts_with("40{"));
    let calls = house.notes.calls();
    assert!(calls[1].ends_with(r#"disconnect ["a"]"#), "{calls:?}");
}

/// Each round of three small packets once left one more handler running, without end.
#[tokio::test]
async fn coming_and_going_is_no_way_around_the_bound() {
    let config = NamespaceConfig {
        max_running_handlers: 2,
        ..NamespaceConfig::default()
    };
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        ..Notes::default()
    };
    let house = house_with(notes, config);
    let mut client = house.visit().await;
    const ROUNDS: usize = 50;
    for _ in 0..ROUNDS {
        for packet in ["40", r#"42["wait"]"#, "41"] {
            client.send(packet).await;
        }
    }
    let started = || {
        let calls = house.notes.calls();
        calls.iter().filter(|call| *call == "wait ").count()
    };
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(started() <= 5, "{} handlers are running", started());
    house.notes.permits().add_permits(ROUNDS);
    house.notes.wait_for(5 * ROUNDS).await;
    assert_eq!(started(), ROUNDS);
}

/// Whoever waits at the door when the client leaves is not waited for.
#[tokio::test]
async fn an_authorisation_ends_with_its_connection() {
    let house = house();
    let mut client = house.visit().await;
    client.send(r#"40{"token":"never"}"#).await;
    client.leave().await;
    assert_eq!(house.notes.calls(), [""; 0]);
    assert_eq!(house.hub.engine().connections(), 0);
}

#[tokio::test]
async fn a_panic_harms_nobody_and_is_answered() {
    let house = house();
    let (mut client, mut other) = (house.member().await, house.member().await);
    for (n, event) in ["panic", "late panic"].into_iter().enumerate() {
        client.send(&format!(r#"42{n}["{event}"]"#)).await;
        assert_eq!(client.next().await, format!(r#"43{n}["sorry"]"#));
    }
    client.send(r#"429["fine"]"#).await;
    assert_eq!(client.next().await, r#"439[""]"#);
    other.send(r#"429["fine"]"#).await;
    assert_eq!(other.next().await, r#"439[""]"#);
}

#[tokio::test]
async fn a_broadcast_reaches_each_member_once_and_not_the_excepted() {
    let house = house();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(house.member().await);
    }
    house
        .notes
        .peer(0)
        .join(vec!["a".into(), "b".into()])
        .await
        .unwrap();
    house.notes.peer(1).join(vec!["b".into()]).await.unwrap();
    house
        .notes
        .peer(2)
        .join(vec!["a".into(), "c".into()])
        .await
        .unwrap();
    let emit = |to: Selection, name: &str| {
        let sent = house.main.emit(&to, Flags::default(), event(name)).unwrap();
        sent.local
    };
    assert_eq!(emit(Selection::of(["a", "b"]), "union"), 3);
    assert_eq!(emit(Selection::of(["a", "b"]).except(["c"]), "except"), 2);
    assert_eq!(
        emit(Selection::everybody().except(["b"]), "everybody but"),
        1
    );
    assert_eq!(emit(Selection::of(Vec::<String>::new()), "nobody"), 0);
    assert_eq!(
        emit(Selection::of([house.notes.peer(1).id().as_str()]), "own id"),
        1
    );
    assert_eq!(emit(Selection::everybody(), "end"), 3);
    let expected: [&[&str]; 3] = [
        &["union", "except", "end"],
        &["union", "except", "own id", "end"],
        &["union", "everybody but", "end"],
    ];
    for (client, expected) in clients.iter_mut().zip(expected) {
        for name in expected {
            assert_eq!(client.next().await, format!(r#"42["{name}"]"#));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_come_in_or_are_given_up() {
    let house = house();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(house.member().await);
    }
    // Less than the heartbeat, which would disconnect a client that answers nothing.
    let timeout = Duration::from_secs(10);
    let everybody = Selection::everybody();
    let ask = || {
        let data = event("question");
        house
            .main
            .emit_with_ack(&everybody, Flags::default(), data, timeout)
    };
    let mut replies = ask().unwrap();
    let mut asked = Vec::new();
    for client in &mut clients {
        asked.push(client.next().await);
    }
    assert_eq!(asked, vec![r#"420["question"]"#; 3]);
    clients[1].send(r#"430["one"]"#).await;
    let (from, answer) = replies.next().await.unwrap();
    assert_eq!(from, *house.notes.peer(1).id());
    assert_eq!(answer.unwrap().get::<String>(0).unwrap(), "one");
    clients.remove(2).leave().await;
    let (from, answer) = replies.next().await.unwrap();
    assert_eq!(from, *house.notes.peer(2).id());
    assert!(matches!(answer, Err(AckError::Disconnected)));
    let start = tokio::time::Instant::now();
    let (from, answer) = replies.next().await.unwrap();
    assert_eq!(from, *house.notes.peer(0).id());
    assert!(matches!(answer, Err(AckError::Timeout)));
    assert!(start.elapsed() <= timeout);
    assert!(replies.next().await.is_none());
    // Too late, and for nobody.
    clients[0].send(r#"430["zero"]"#).await;
    clients[0].send(r#"437["never asked"]"#).await;
    clients[0].send(r#"421["fine"]"#).await;
    assert_eq!(clients[0].next().await, r#"431[""]"#);
}

#[tokio::test]
async fn nothing_is_kept_of_a_question_that_is_dropped() {
    let house = house();
    let mut client = house.member().await;
    let peer = house.notes.peer(0);
    for n in 0..100 {
        let replies = house
            .main
            .emit_with_ack(
                &Selection::everybody(),
                Flags::default(),
                event("q"),
                MINUTE,
            )
            .unwrap();
        assert_eq!(peer.owed_acks(), 1);
        drop(replies);
        assert_eq!(peer.owed_acks(), 0);
        assert_eq!(client.next().await, format!(r#"42{n}["q"]"#));
    }
}

#[tokio::test]
async fn a_volatile_question_is_not_put_to_a_client_that_is_stuck() {
    let house = house();
    let mut client = house.visit_with_buffer(512).await;
    client.send("40").await;
    client.next().await;
    let peer = house.notes.peer(0);
    // More than its pipe takes, in more packets than are written at once.
    for _ in 0..200 {
        let reached = peer.emit(Flags::default(), event(&"x".repeat(100)));
        assert_eq!(reached.unwrap().local, 1);
    }
    let volatile = Flags {
        volatile: true,
        ..Flags::default()
    };
    let mut replies = house
        .main
        .emit_with_ack(&Selection::everybody(), volatile, event("q"), MINUTE)
        .unwrap();
    let (_, answer) = replies.next().await.unwrap();
    assert!(matches!(answer, Err(AckError::Dropped)), "{answer:?}");
    assert!(replies.next().await.is_none());
    assert_eq!(peer.owed_acks(), 0);
}

#[tokio::test]
async fn nobody_answers_for_an_empty_room() {
    let house = house();
    let nobody = Selection::of(["empty"]);
    let mut replies = house
        .main
        .emit_with_ack(&nobody, Flags::default(), event("q"), MINUTE)
        .unwrap();
    assert!(replies.next().await.is_none());
}

#[tokio::test]
async fn a_dropped_connection_leaves_nobody_in_a_room() {
    let house = house();
    let client = house.member().await;
    let peer = house.notes.peer(0);
    peer.join(vec!["a".into()]).await.unwrap();
    client.task.abort();
    assert!(client.task.await.unwrap_err().is_cancelled());
    assert_eq!(house.main.rooms(), [""; 0]);
    assert!(!peer.is_connected());
    let answer = peer.emit_with_ack(event("q"), MINUTE).await;
    assert!(matches!(answer, Err(AckError::Disconnected)));
}

#[tokio::test]
async fn a_task_of_a_socket_ends_with_it() {
    let house = house();
    let client = house.member().await;
    let (ended, mut end) = tokio::sync::oneshot::channel::<()>();
    house.notes.peer(0).spawn(async move {
        let _ended = ended;
        std::future::pending::<()>().await;
    });
    assert!(
        end.try_recv()
            .is_err_and(|error| { error == tokio::sync::oneshot::error::TryRecvError::Empty })
    );
    client.leave().await;
    assert!(end.await.is_err(), "dropped with the task");
}

#[tokio::test]
async fn a_closed_server_says_no_farewell_that_keeps_clients_away() {
    let house = house();
    let client = house.member().await;
    house.hub.close();
    let before = client.end().await;
    assert!(before.is_empty(), "{before:?}");
    let calls = house.notes.calls();
    assert_eq!(calls[2], "disconnected server shutting down []");
    let refused = house
        .main
        .emit(&Selection::everybody(), Flags::default(), event("x"));
    assert!(refused.is_err());
}

#[tokio::test]
async fn paths_are_mounted_once() {
    let house = house();
    let handlers: Arc<dyn Handlers> = Arc::new(Noting(house.notes.clone()));
    let twice = house
        .hub
        .mount("/", contract::<u16>(), handlers)
        .unwrap_err();
    assert_eq!(
        twice.to_string(),
        "namespace `/` is mounted twice: by `()` and by `u16`"
    );
    assert!(house.hub.namespace("/", contract::<u16>()).is_err());
    assert!(house.hub.namespace("/side", contract::<u8>()).is_ok());
    assert!(house.hub.reserve("/later", contract::<u32>(), None).is_ok());
    assert!(house.hub.namespace("/later", contract::<u32>()).is_err());
    assert_eq!(house.hub.unmounted().len(), 1);
}

#[tokio::test]
async fn a_limit_is_told_in_the_open_packet() {
    let house = house();
    let mut config = EngineConfig::default();
    config.limits.max_payload = 77;
    config.ping_interval = Duration::from_millis(1_500);
    assert!(house.hub.engine().configure(config));
    let (ours, theirs) = duplex(1_000);
    let info = Arc::new(HandshakeInfo::new(
        &"/".parse().unwrap(),
        &http::HeaderMap::new(),
    ));
    let engine = house.hub.engine();
    let revision = Revision::V4;
    tokio::spawn(engine.connect(
        engine.reserve(),
        revision,
        stream_pipe(ours),
        &[],
        |mailbox| Conversation::new(house.hub.clone(), mailbox.clone(), info),
    ));
    let stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    let open = stream
        .into_future()
        .await
        .0
        .unwrap()
        .unwrap()
        .into_text()
        .unwrap();
    assert!(open.contains(r#""pingInterval":1500"#), "{open}");
    assert!(open.contains(r#""maxPayload":77"#), "{open}");
}
