//! What clients may pile up on a server, and what an application may pile up for them.

use super::{Client, House, MINUTE, Notes, SlowClients, contract, event, house, house_with, rooms};
use crate::{
    engine::{Count, EngineConfig},
    namespace::NamespaceConfig,
    rooms::{AckError, Flags, Selection, adapter::Command},
    wire::{Data, DataWriter},
};
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::{future::IntoFuture, time::Duration};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};

fn house_of(config: NamespaceConfig) -> House {
    house_with(Notes::default(), config)
}

fn everybody() -> Selection {
    Selection::everybody()
}

impl House {
    fn count(&self, count: Count) -> u64 {
        self.hub.engine().counters().get(count)
    }

    fn refused(&self, reason: &str) -> u64 {
        let refused = self.hub.engine().counters().refused();
        refused.get(reason).copied().unwrap_or_default()
    }
}

#[tokio::test(start_paused = true)]
async fn clients_ask_for_so_many_namespaces_in_a_second() {
    let house = house_of(NamespaceConfig {
        max_connects_per_second: 3,
        ..NamespaceConfig::default()
    });
    let refusal = r#"44/nowhere,{"message":"Invalid namespace"}"#;
    let mut patient = house.visit().await;
    for _ in 0..3 {
        for _ in 0..3 {
            patient.send("40/nowhere,").await;
            assert_eq!(patient.next().await, refusal);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let mut hasty = house.visit().await;
    for _ in 0..4 {
        hasty.send("40/nowhere,").await;
    }
    hasty.end().await;
    assert_eq!(house.refused("too_many_connects"), 1);
    assert_eq!(house.refused("no_such_namespace"), 12);
    patient.send("40").await;
    assert!(patient.next().await.starts_with("40{"));
}

#[tokio::test]
async fn clients_are_in_so_many_namespaces_at_a_time() {
    let house = house_of(NamespaceConfig {
        max_joined_namespaces: 1,
        ..NamespaceConfig::default()
    });
    let mut client = house.member().await;
    client.send("40/side,").await;
    let refusal = r#"44/side,{"message":"too many namespaces"}"#;
    assert_eq!(client.next().await, refusal);
    assert_eq!(house.refused("too_many_namespaces"), 1);
}

#[tokio::test]
async fn sockets_are_in_so_many_rooms_with_names_so_long() {
    let house = house_of(NamespaceConfig {
        max_rooms: 3,
        max_room_name: 4,
        ..NamespaceConfig::default()
    });
    let _client = house.member().await;
    let peer = house.notes.peer(0);
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    drop(peer.join(names(&["a", "four", "fifth"])));
    assert_eq!(rooms(&peer), ["a", "four"]);
    assert_eq!(house.refused("room_not_joined"), 1);
    drop(peer.join(names(&["b", "c"])));
    assert_eq!(rooms(&peer), ["a", "b", "four"]);
    // Also where the application has others join.
    let join = Command::Join(names(&["d"]));
    drop(house.main.command(&everybody(), &join));
    assert_eq!(rooms(&peer), ["a", "b", "four"]);
    assert_eq!(house.refused("room_not_joined"), 3);
    // A room that it is in is no room more, and one that it leaves is one less.
    drop(peer.join(names(&["a"])));
    assert_eq!(house.refused("room_not_joined"), 3);
    drop(peer.leave(names(&["a"])));
    drop(peer.join(names(&["c"])));
    assert_eq!(rooms(&peer), ["b", "c", "four"]);
    assert_eq!(house.main.sizes(), (1, 3));
}

#[tokio::test]
async fn sockets_owe_so_many_acknowledgements() {
    let house = house_of(NamespaceConfig {
        max_pending_acks: 2,
        ..NamespaceConfig::default()
    });
    let mut client = house.member().await;
    let ask = || {
        let asked = house
            .main
            .emit_with_ack(&everybody(), Flags::default(), event("q"), MINUTE);
        asked.expect("an open server")
    };
    let (first, _second) = (ask(), ask());
    let (_, answer) = ask().next().await.expect("an answer");
    assert!(matches!(answer, Err(AckError::TooMany)), "{answer:?}");
    assert_eq!(house.refused("too_many_acks"), 1);
    // The third was not put.
    drop(first);
    let fourth = ask();
    for id in [0, 1, 3] {
        assert_eq!(client.next().await, format!(r#"42{id}["q"]"#));
    }
    client.send("433[]").await;
    let answers: Vec<_> = fourth.collect().await;
    assert!(answers[0].1.is_ok(), "{answers:?}");
}

/// Attachments of packets that are not whole: 20 connections can have a Node server hold 180 MB.
#[tokio::test]
async fn attachments_that_wait_are_bounded_in_all() {
    let house = house();
    assert!(house.hub.engine().configure(EngineConfig {
        max_held_bytes: 300_000,
        ..EngineConfig::default()
    }));
    let begin = async || -> Client {
        let mut client = house.visit_with_buffer(1_000_000).await;
        client.send("40").await;
        assert!(client.next().await.starts_with("40{"));
        let packet = r#"452-["photos",{"_placeholder":true,"num":0}]"#;
        client.send(packet).await;
        let attachment = Message::binary(vec![7; 100_000]);
        client.stream.send(attachment).await.unwrap();
        client
    };
    let holds = async |bytes: usize| {
        let waiting = async {
            while house.hub.engine().held() < bytes {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(MINUTE, waiting).await;
        assert!(waited.is_ok(), "{bytes} bytes are not held");
    };
    let _first = begin().await;
    holds(100_000).await;
    let second = begin().await;
    holds(200_000).await;
    let mut third = begin().await;
    let end = loop {
        match third.stream.next().await {
            Some(Ok(Message::Close(frame))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("no close frame: {other:?}"),
        }
    };
    assert_eq!(end.expect("a status code").code, CloseCode::Again);
    // What somebody else gives up is free again.
    second.leave().await;
    assert!(house.hub.engine().held() < 150_000);
    let mut fourth = begin().await;
    let whole = Message::binary(vec![7; 10]);
    fourth.stream.send(whole).await.unwrap();
    loop {
        let calls = house.notes.wait_for(1).await;
        if calls.iter().any(|call| call.starts_with("photos")) {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// A client at the other end of a small pipe, which does not read.
async fn stalled(house: &House) -> Client {
    let mut client = house.visit_with_buffer(512).await;
    client.send("40").await;
    client.next().await;
    client
}

fn waiting_house() -> House {
    let notes = Notes {
        slow_clients: SlowClients::Wait,
        ..Notes::default()
    };
    let house = house_with(notes, NamespaceConfig::default());
    assert!(house.hub.engine().configure(EngineConfig {
        max_queued_packets: 200,
        ..EngineConfig::default()
    }));
    house
}

#[tokio::test]
async fn an_emit_that_is_awaited_goes_at_the_pace_of_the_slowest() {
    let house = waiting_house();
    let mut slow = stalled(&house).await;
    let mut quick = house.member().await;
    let main = house.main.clone();
    let emitting = tokio::spawn(async move {
        for n in 0..1_000 {
            let sent = main.emit(&everybody(), Flags::default(), event(&n.to_string()));
            sent.unwrap().await.unwrap();
        }
    });
    // Everybody hears what is emitted, up to where the emitter waits for the slow one.
    for n in 0..100 {
        assert_eq!(quick.next().await, format!(r#"42["{n}"]"#));
    }
    assert!(!emitting.is_finished());
    for n in 0..1_000 {
        assert_eq!(slow.next().await, format!(r#"42["{n}"]"#));
        let queues = house.hub.engine().queues();
        assert!(queues.packets <= 2 * 102, "{queues:?}");
        if n >= 100 {
            assert_eq!(quick.next().await, format!(r#"42["{n}"]"#));
        }
    }
    emitting.await.unwrap();
}

#[tokio::test]
async fn an_emit_that_is_not_awaited_fills_the_queue_and_no_more() {
    let house = waiting_house();
    let slow = stalled(&house).await;
    let peer = house.notes.peer(0);
    let mut reached = 0;
    while peer.emit(Flags::default(), event("x")).unwrap().local == 1 {
        reached += 1;
        assert!(reached < 1_000, "the queue has no end");
    }
    slow.end().await;
    let calls = house.notes.wait_for(2).await;
    assert_eq!(calls[1], "disconnecting slow client []");
}

#[tokio::test]
async fn nobody_waits_for_those_who_are_gone() {
    let house = waiting_house();
    let slow = stalled(&house).await;
    let peer = house.notes.peer(0);
    let mut last = None;
    for _ in 0..190 {
        let sent = peer.emit(Flags::default(), event("x")).unwrap();
        last = Some(sent.into_future());
    }
    let mut last = last.expect("there were some");
    assert!((&mut last).now_or_never().is_none());
    slow.task.abort();
    last.await.unwrap();
}

#[tokio::test]
async fn what_goes_in_and_out_is_counted() {
    let house = house();
    let mut clients = [house.member().await, house.member().await];
    for client in &mut clients {
        client.send(r#"421["fine","x"]"#).await;
        client.next().await;
    }
    for client in 0..2 {
        let peer = house.notes.peer(client);
        peer.emit(Flags::default(), event("a")).unwrap();
    }
    let emit = |to: &Selection, volatile: bool| {
        let flags = Flags {
            volatile,
            ..Flags::default()
        };
        house.main.emit(to, flags, event("b")).unwrap().local
    };
    for _ in 0..3 {
        assert_eq!(emit(&everybody(), false), 2);
    }
    assert_eq!(emit(&Selection::of(["empty"]), false), 0);
    let asked = house
        .main
        .emit_with_ack(&everybody(), Flags::default(), event("q"), MINUTE);
    drop(asked);
    assert_eq!(house.count(Count::EventsIn), 2);
    assert_eq!(house.count(Count::EventsOut), 2 + 3 + 1 + 1);
    assert_eq!(house.count(Count::Deliveries), 2 + 6 + 2);
    assert_eq!(house.count(Count::Dropped), 0);

    let _stalled = stalled(&house).await;
    let peer = house.notes.peer(2);
    let emit_to_one = |volatile: bool| {
        let flags = Flags {
            volatile,
            ..Flags::default()
        };
        peer.emit(flags, event(&"x".repeat(100))).unwrap().local
    };
    for _ in 0..300 {
        assert_eq!(emit_to_one(false), 1);
    }
    assert_eq!((emit_to_one(true), house.count(Count::Dropped)), (0, 1));
    assert_eq!(emit(&everybody(), true), 2);
    assert_eq!(house.count(Count::Dropped), 2);
}

/// Events of other servers, whose handlers end when they may.
fn listening(config: NamespaceConfig) -> House {
    let notes = Notes {
        permits: Some(Semaphore::new(0)),
        ..Notes::default()
    };
    house_with(notes, config)
}

/// Nothing runs for it, so nothing is waited for.
#[track_caller]
fn check_dropped(hearing: impl Future<Output = Option<Data>>) {
    let answer = hearing.now_or_never();
    assert!(answer.expect("nothing is to be waited for").is_none());
}

#[tokio::test]
async fn other_servers_have_so_many_events_handled() {
    let house = listening(NamespaceConfig {
        max_server_events: 2,
        ..NamespaceConfig::default()
    });
    // Of all namespaces together.
    let side = house.hub.namespace("/side", contract::<u8>()).unwrap();
    let (first, second) = (house.main.hear(event("wait")), side.hear(event("wait")));
    check_dropped(house.main.hear(event("wait")));
    check_dropped(side.hear(event("wait")));
    assert_eq!(house.refused("too_many_server_events"), 2);
    // They are handled whether or not anybody waits.
    drop(second);
    house.notes.permits().add_permits(1);
    first.await.expect("it is handled");
    // Its place is free again; that of an event which nothing handles was never taken for long.
    check_dropped(house.main.hear(event("nobody's")));
    let third = house.main.hear(event("wait"));
    check_dropped(house.main.hear(event("wait")));
    assert_eq!(house.refused("too_many_server_events"), 3);
    house.notes.permits().add_permits(2);
    third.await.expect("it is handled");
}

#[tokio::test]
async fn other_servers_have_so_many_bytes_handled() {
    let house = listening(NamespaceConfig {
        max_server_event_bytes: 20,
        ..NamespaceConfig::default()
    });
    let large = || {
        let mut large = DataWriter::event("wait");
        large.push("more than twenty bytes").unwrap();
        large.finish()
    };
    // While it is alone.
    let first = house.main.hear(large());
    check_dropped(house.main.hear(event("wait")));
    assert_eq!(house.refused("too_many_server_events"), 1);
    house.notes.permits().add_permits(1);
    first.await.expect("it is handled");
    let small = [
        house.main.hear(event("wait")),
        house.main.hear(event("wait")),
    ];
    check_dropped(house.main.hear(large()));
    assert_eq!(house.refused("too_many_server_events"), 2);
    house.notes.permits().add_permits(2);
    for handled in small {
        handled.await.expect("it is handled");
    }
}
