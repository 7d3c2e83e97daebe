//! Clients that come back.

mod on_the_way;

use super::*;
use crate::{
    rooms::{
        Adapter, AdapterError, RecoveryConfig, SocketId,
        adapter::{
            self, Answers, Broadcast, Channel, Claimed, Command, Confirmed, Local, Logged, Moved,
            Opening, Publisher, Question, Recorded, Recovery,
        },
    },
    session::CloseCause,
};
use serde_json::Value as Json;

fn recovering() -> House {
    recovering_with(InMemory, RecoveryConfig::default(), EngineConfig::default())
}

fn recovering_with(adapter: impl Adapter, recovery: RecoveryConfig, engine: EngineConfig) -> House {
    let hub = Hub::new(Box::new(adapter));
    assert!(hub.engine().configure(engine));
    assert!(hub.recover(recovery));
    let permits = Some(Semaphore::new(0));
    let notes = Notes {
        permits,
        ..Notes::default()
    };
    house_on(hub, &usual(), notes)
}

/// What a client is told when it connects.
#[derive(Debug)]
struct Told {
    sid: String,
    pid: String,
    /// The events that came before.
    before: Vec<String>,
}

impl House {
    /// Connects to `/`.
    async fn come(&self, payload: &str) -> (Client, Told) {
        let mut client = self.visit().await;
        let told = client.connect("40", payload).await;
        (client, told)
    }

    async fn come_back(&self, pid: &str, offset: &str) -> (Client, Told) {
        self.come(&shown(pid, offset)).await
    }

    fn say(&self, to: &Selection, what: &str) {
        let sent = self.main.emit(to, Flags::default(), event(what));
        sent.expect("the server is open");
    }

    /// A client that is in the room `a` and has seen one event, with its offset.
    async fn regular(&self) -> (Client, Told, String) {
        let (mut client, told) = self.come("{}").await;
        client.send(r#"420["join","a"]"#).await;
        assert_eq!(client.next().await, r#"430["a"]"#);
        self.say(&Selection::of([told.sid.as_str()]), "first");
        let (name, offset) = client.event().await;
        assert_eq!(name, "first");
        (client, told, offset)
    }

    /// Drops a connection, and waits for its hooks.
    async fn lose(&self, client: Client) {
        drop(client.stream);
        client.task.await.unwrap();
    }

    /// The last peer with this id.
    fn peer_of(&self, told: &Told) -> Arc<Peer> {
        let peers = self.notes.peers.lock().unwrap();
        let peer = peers
            .iter()
            .rev()
            .find(|peer| peer.id().as_str() == told.sid);
        peer.expect("it was connected").clone()
    }
}

impl Client {
    async fn connect(&mut self, prefix: &str, payload: &str) -> Told {
        self.send(&format!("{prefix}{payload}")).await;
        let mut before = Vec::new();
        loop {
            let text = self.next().await;
            let Some(reply) = text.strip_prefix(prefix) else {
                before.push(read(&text).0);
                continue;
            };
            let reply: Json = serde_json::from_str(reply).expect("an object");
            let text = |key: &str| reply[key].as_str().expect(key).to_owned();
            return Told {
                sid: text("sid"),
                pid: text("pid"),
                before,
            };
        }
    }

    /// The name of the next event, and its offset.
    async fn event(&mut self) -> (String, String) {
        read(&self.next().await)
    }
}

impl Told {
    fn is(&self, former: &Told, missed: &[&str]) {
        assert_eq!((&self.sid, &self.pid), (&former.sid, &former.pid));
        assert_eq!(self.before, missed);
    }

    fn is_new_beside(&self, former: &Told) {
        assert_ne!(self.sid, former.sid);
        assert_ne!(self.pid, former.pid);
        assert!(self.before.is_empty(), "{:?}", self.before);
    }
}

fn shown(pid: &str, offset: &str) -> String {
    format!(r#"{{"pid":"{pid}","offset":"{offset}"}}"#)
}

fn read(text: &str) -> (String, String) {
    let json = text
        .strip_prefix("42")
        .unwrap_or_else(|| panic!("no event: {text}"));
    serde_json::from_str(json).expect("a name and an offset")
}

fn to(room: &str) -> Selection {
    Selection::of([room])
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_before_the_reply() {
    let house = recovering();
    let (client, told, offset) = house.regular().await;
    let (mut bystander, other) = house.come("{}").await;
    let former = house.peer_of(&told);
    house.lose(client).await;

    house.say(&to("a"), "room");
    house.say(&to("b"), "elsewhere");
    house.say(&Selection::everybody(), "everybody");
    house.say(&to("a").except([told.sid.as_str()]), "all but me");
    house.say(&to("a").except([other.sid.as_str()]), "all but them");
    house.say(&to(&told.sid), "alone");
    let local = Flags {
        local: true,
        ..Flags::default()
    };
    house.main.emit(&to("a"), local, event("local")).unwrap();
    // A handler that is late emits to the socket that it was called for.
    former.emit(Flags::default(), event("late")).unwrap();
    let volatile = Flags {
        volatile: true,
        ..Flags::default()
    };
    house
        .main
        .emit(&to("a"), volatile, event("volatile"))
        .unwrap();
    let replies = house
        .main
        .emit_with_ack(&to("a"), Flags::default(), event("question"), MINUTE);
    drop(replies);

    let (mut client, again) = house.come_back(&told.pid, &offset).await;
    again.is(
        &told,
        &[
            "room",
            "everybody",
            "all but them",
            "alone",
            "local",
            "late",
        ],
    );
    let peer = house.peer_of(&again);
    assert!(peer.is_recovered() && !former.is_recovered());
    assert_eq!(rooms(&peer), ["a"]);

    // And from here on everything as it comes.
    house.say(&to("a"), "on");
    assert_eq!(client.event().await.0, "on");
    former
        .emit(Flags::default(), event("to the successor"))
        .unwrap();
    assert_eq!(client.event().await.0, "to the successor");
    assert_eq!(bystander.event().await.0, "everybody");
}

#[tokio::test]
async fn only_what_is_recorded_has_an_offset() {
    let house = recovering();
    let (mut client, told) = house.come("{}").await;
    let peer = house.peer_of(&told);
    let volatile = Flags {
        volatile: true,
        ..Flags::default()
    };
    house
        .main
        .emit(&Selection::everybody(), volatile, event("x"))
        .unwrap();
    assert_eq!(client.next().await, r#"42["x"]"#);
    peer.emit(volatile, event("x")).unwrap();
    assert_eq!(client.next().await, r#"42["x"]"#);
    drop(house.main.emit_with_ack(
        &Selection::everybody(),
        Flags::default(),
        event("x"),
        MINUTE,
    ));
    assert_eq!(client.next().await, r#"420["x"]"#);

    let mut data = DataWriter::event("photo");
    data.push(&bytes::Bytes::from_static(b"sea")).unwrap();
    peer.emit(Flags::default(), data.finish()).unwrap();
    let text = client.next().await;
    let placeholder = r#"451-["photo",{"_placeholder":true,"num":0},""#;
    assert!(text.starts_with(placeholder), "{text}");

    // Without recovery there is none, and no secret either.
    let house = super::house();
    let mut client = house.visit().await;
    client.send("40").await;
    let reply: Json = serde_json::from_str(&client.next().await[2..]).unwrap();
    assert_eq!(reply.as_object().unwrap().len(), 1, "{reply}");
    house
        .main
        .emit(&Selection::everybody(), Flags::default(), event("x"))
        .unwrap();
    assert_eq!(client.next().await, r#"42["x"]"#);
}

/// Of Engine.IO 3: such clients have no way to ask for it, and no state is kept for them.
#[tokio::test]
async fn clients_of_the_former_revision_do_not_come_back() {
    let house = recovering();
    let mut client = house.visit_of(Revision::V3, 64 * 1024).await;
    assert_eq!(client.next().await, "40");
    let peer = house.notes.peer(0);
    peer.emit(Flags::default(), event("alone")).unwrap();
    assert_eq!(client.next().await, r#"42["alone"]"#);
    client.send("40/side?pid=x&offset=y,").await;
    assert_eq!(client.next().await, "40/side,");
}

#[tokio::test]
async fn whoever_shows_something_else_is_a_new_client() {
    let house = recovering();
    let (client, told, offset) = house.regular().await;
    let (mut elsewhere, side) = {
        let mut client = house.visit().await;
        let told = client.connect("40/side,", "{}").await;
        (client, told)
    };
    house
        .notes
        .peer(1)
        .emit(Flags::default(), event("x"))
        .unwrap();
    let text = elsewhere.next().await.replace("/side,", "");
    let (_, side_offset) = read(&text);
    house.lose(client).await;
    house.say(&to("a"), "missed");

    let epoch = offset.split_once('.').unwrap().0;
    let payloads = [
        "{}".to_owned(),
        format!(r#"{{"pid":"{}"}}"#, told.pid),
        format!(r#"{{"offset":"{offset}"}}"#),
        format!(r#"{{"pid":7,"offset":"{offset}"}}"#),
        format!(r#"{{"pid":"{}","offset":7}}"#, told.pid),
        shown(&told.sid, &offset),
        shown(&side.pid, &offset),
        shown(&told.pid, &side_offset),
        shown(&told.pid, ""),
        shown(&told.pid, epoch),
        shown(&told.pid, &format!("{epoch}.999")),
        shown(&told.pid, &format!("{offset}0")),
        shown(&told.pid, &format!("{epoch}.+1")),
        shown(&told.pid, &format!("{epoch}.01")),
        shown(&told.pid, &format!("{epoch}.-1")),
        shown(&told.pid, &"9".repeat(100_000)),
        shown(&"9".repeat(100_000), &offset),
    ];
    for payload in payloads {
        let (client, new) = house.come(&payload).await;
        new.is_new_beside(&told);
        assert!(!house.peer_of(&new).is_recovered(), "{payload:.80}");
        client.leave().await;
    }
    // None of this was in the way of the one whose session it is.
    let (_client, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &["missed"]);
}

#[tokio::test]
async fn who_comes_back_is_authorized_again() {
    let house = recovering();
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    let mut client = house.visit().await;
    let expired = shown(&told.pid, &offset).replace('{', r#"{"token":"bad","#);
    client.send(&format!("40{expired}")).await;
    assert_eq!(
        client.next().await,
        r#"44{"message":"bad token","data":401}"#
    );
    // The session waits for who may have it.
    client
        .connect("40", &shown(&told.pid, &offset))
        .await
        .is(&told, &[]);
}

#[tokio::test(start_paused = true)]
async fn the_window_closes() {
    let window = Duration::from_secs(30);
    let config = RecoveryConfig::default().window(window);
    let house = recovering_with(InMemory, config, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    house.lose(client).await;
    tokio::time::advance(window).await;
    let (client, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &[]);
    house.lose(client).await;
    tokio::time::advance(window + Duration::from_millis(1)).await;
    let (_client, new) = house.come_back(&told.pid, &offset).await;
    new.is_new_beside(&told);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_client_comes_back_however_old_its_offset_is() {
    let config = RecoveryConfig::default().max_packets(2);
    let house = recovering_with(InMemory, config, EngineConfig::default());
    let (client, told, offset) = house.regular().await;
    for _ in 0..100 {
        house.say(&to("b"), "not for it");
    }
    house.lose(client).await;
    house.say(&to("a"), "missed");
    let (_client, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &["missed"]);
}

#[tokio::test]
async fn what_is_forgotten_makes_a_new_client() {
    let configs = [
        RecoveryConfig::default().max_packets(2),
        RecoveryConfig::default().max_bytes(400),
    ];
    for config in configs {
        let house = recovering_with(InMemory, config, EngineConfig::default());
        let (client, told, offset) = house.regular().await;
        house.lose(client).await;
        for _ in 0..3 {
            house.say(&to("a"), "missed");
        }
        let (_client, new) = house.come_back(&told.pid, &offset).await;
        new.is_new_beside(&told);
    }
    let config = RecoveryConfig::default().max_sessions(1);
    let house = recovering_with(InMemory, config, EngineConfig::default());
    let (first, first_told, first_offset) = house.regular().await;
    let (second, second_told, second_offset) = house.regular().await;
    house.lose(first).await;
    house.lose(second).await;
    let (_client, new) = house.come_back(&first_told.pid, &first_offset).await;
    new.is_new_beside(&first_told);
    let (_client, again) = house.come_back(&second_told.pid, &second_offset).await;
    again.is(&second_told, &[]);
}

#[tokio::test]
async fn more_than_may_wait_for_a_client_makes_a_new_one() {
    let engine = EngineConfig {
        max_queued_packets: 20,
        ..EngineConfig::default()
    };
    let house = recovering_with(InMemory, RecoveryConfig::default(), engine);
    for (missed, comes_back) in [(9, true), (10, false)] {
        let (client, told, offset) = house.regular().await;
        house.lose(client).await;
        for _ in 0..missed {
            house.say(&to("a"), "missed");
        }
        let (mut client, again) = house.come_back(&told.pid, &offset).await;
        match comes_back {
            true => again.is(&told, &vec!["missed"; missed]),
            false => again.is_new_beside(&told),
        }
        // Whichever it is, there is one socket, and it is served.
        client.send(r#"421["fine","x"]"#).await;
        assert_eq!(client.next().await, r#"431["x"]"#);
        assert_eq!(house.main.count(&Selection::everybody()), 1);
        client.leave().await;
        assert_eq!(house.main.rooms(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_session_can_be_claimed_again_and_again() {
    let house = recovering();
    let (mut client, told, mut offset) = house.regular().await;
    for round in ["one", "two", "three"] {
        house.lose(client).await;
        house.say(&to("a"), round);
        // Twice in a row: the first connection is lost before anything came.
        let (lost, again) = house.come_back(&told.pid, &offset).await;
        again.is(&told, &[round]);
        house.lose(lost).await;
        let (back, again) = house.come_back(&told.pid, &offset).await;
        again.is(&told, &[round]);
        client = back;
        house.say(&to("a"), "seen");
        let (name, seen) = client.event().await;
        assert_eq!(name, "seen");
        offset = seen;
    }
    assert_eq!(house.main.count(&Selection::everybody()), 1);
}

#[tokio::test]
async fn the_earlier_socket_gives_way_and_undoes_nothing() {
    let house = recovering();
    let (mut first, told, offset) = house.regular().await;
    let former = house.peer_of(&told);
    house.say(&to("a"), "seen by both");
    assert_eq!(first.event().await.0, "seen by both");

    // Its connection looks as if it were alive.
    let (mut second, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &["seen by both"]);
    assert!(!former.is_connected());
    assert_eq!(first.end().await, [""; 0]);
    let calls = house.notes.calls();
    let gone = [
        r#"disconnecting forced server close ["a"]"#,
        "disconnected forced server close []",
    ];
    assert!(
        gone.iter().all(|call| calls.contains(&(*call).to_owned())),
        "{calls:?}"
    );

    // The other one is in its rooms, alone, and may come back too.
    house.say(&to("a"), "on");
    assert_eq!(second.event().await.0, "on");
    assert_eq!(house.main.count(&to("a")), 1);
    former.end_session();
    former.disconnect(false);
    drop(former.leave(vec![told.sid.as_str().into(), "a".into()]));
    drop(former.join(vec!["b".into()]));
    assert_eq!(rooms(&house.peer_of(&again)), ["a"]);
    house.lose(second).await;
    let (_client, again) = house.come_back(&told.pid, &offset).await;
    again.is(&told, &["seen by both", "on"]);
}

#[tokio::test]
async fn a_goodbye_ends_the_session_and_a_lost_connection_does_not() {
    async fn leave(house: &House, mut client: Client, how: &str) {
        match how {
            "client namespace disconnect" => {
                client.send("41").await;
                client.leave().await;
            }
            "server namespace disconnect" => {
                client.send(r#"42["leave me"]"#).await;
                assert_eq!(client.next().await, "41");
                client.leave().await;
            }
            "server closes" => {
                client.send(r#"42["close me"]"#).await;
                client.end().await;
            }
            "from elsewhere" => {
                house
                    .main
                    .obey(&to("a"), &Command::Disconnect { close: false });
                assert_eq!(client.next().await, "41");
                client.leave().await;
            }
            "own room left" => {
                let own = to("a");
                let id = house.main.sockets(&own)[0].to_string();
                house.main.obey(&own, &Command::Leave(vec![id.into()]));
                house.lose(client).await;
            }
            "parse error" => {
                let frame = tungstenite::Message::text("x");
                client.stream.send(frame).await.unwrap();
                client.end().await;
            }
            "forced close" => {
                client.send("44{}").await;
                client.end().await;
            }
            "transport close" => client.leave().await,
            "transport error" => house.lose(client).await,
            "ping timeout" => {
                tokio::time::advance(Duration::from_secs(25)).await;
                assert_eq!(client.next().await, "2");
                tokio::time::advance(Duration::from_secs(20)).await;
                client.end().await;
            }
            other => panic!("{other}?"),
        }
    }
    let cases = [
        ("client namespace disconnect", false),
        ("server namespace disconnect", false),
        ("server closes", false),
        ("from elsewhere", false),
        ("own room left", false),
        ("parse error", false),
        ("forced close", true),
        ("transport close", true),
        ("transport error", true),
        ("ping timeout", true),
    ];
    tokio::time::pause();
    for (how, comes_back) in cases {
        let house = recovering();
        let (client, told, offset) = house.regular().await;
        leave(&house, client, how).await;
        let (_client, again) = house.come_back(&told.pid, &offset).await;
        assert_eq!(again.sid == told.sid, comes_back, "{how}");
        assert_eq!(again.pid == told.pid, comes_back, "{how}");
    }
}

/// Two threads emit while a client loses its connection again and again. Everything is for it, so its offsets have no gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_doubled_under_way() {
    const EVENTS: usize = 3_000;
    /// How far the emits may be ahead of the client.
    const AHEAD: usize = 50;
    fn position(offset: &str) -> usize {
        offset.split_once('.').unwrap().1.parse().unwrap()
    }
    let house = Arc::new(recovering());
    let (mut client, told, offset) = house.regular().await;
    house.notes.permits().add_permits(AHEAD);
    for _ in 0..2 {
        let house = house.clone();
        tokio::spawn(async move {
            for _ in 0..EVENTS / 2 {
                house.notes.permits().acquire().await.unwrap().forget();
                house.say(&to("a"), "x");
            }
        });
    }
    let first = position(&offset);
    let (mut seen, mut drops, mut next_drop) = (first, 0, first + 20);
    let expect = |offset: &str, seen: &mut usize| {
        *seen += 1;
        assert_eq!(position(offset), *seen);
        house.notes.permits().add_permits(1);
    };
    while seen < first + EVENTS {
        let (_, offset) = client.event().await;
        expect(&offset, &mut seen);
        if seen < next_drop {
            continue;
        }
        drops += 1;
        drop(client);
        client = house.visit().await;
        client
            .send(&format!("40{}", shown(&told.pid, &offset)))
            .await;
        // What was missed, and then the reply.
        let mut text = client.next().await;
        while !text.starts_with("40") {
            expect(&read(&text).1, &mut seen);
            text = client.next().await;
        }
        assert!(text.contains(&told.sid), "{text}");
        next_drop = seen + 20;
    }
    assert!(drops >= EVENTS / (AHEAD + 20) - 1, "{drops}");
}

#[tokio::test]
async fn an_adapter_evicts_who_came_back_on_another_server() {
    let house = recovering();
    let (mut client, told, _) = house.regular().await;
    client.send("40/side,").await;
    client.next().await;
    let namespace: &dyn Local = &*house.main;
    namespace.evict(&SocketId::from("nobody"));
    namespace.evict(&SocketId::from(told.sid.as_str()));
    assert_eq!(namespace.rooms(), Vec::<String>::new());
    assert_eq!(
        client.end().await,
        [""; 0],
        "nothing is said to a client that is gone"
    );
    let reason = CloseCause::ServerClosed.reason();
    assert_eq!(reason, DisconnectReason::ForcedServerClose);
    let calls = house.notes.calls();
    let hooks = calls
        .iter()
        .filter(|call| call.starts_with("disconnected forced server close"));
    assert_eq!(hooks.count(), 2, "{calls:?}");
}
