//! Clients that do not keep up, under each policy.

use super::{Frame, Rig, patient, polling, rig_with_buffer, text};
use crate::{
    engine::{Delivery, EngineConfig, Pushed, SlowClients},
    session::DisconnectReason,
    wire::websocket::text_frame,
};
use futures_util::{FutureExt, StreamExt};

/// A client whose stream takes next to nothing while it does not read.
async fn stalled(max_queued_packets: usize) -> Rig {
    let config = EngineConfig {
        max_queued_packets,
        ..patient()
    };
    let rig = rig_with_buffer(config, 64).await;
    // Begun, and stuck.
    let first = text_frame(&format!("4first{}", "x".repeat(200)));
    deliver(&rig, &first, false, SlowClients::Disconnect);
    rig.mailbox.flush();
    assert_eq!(rig.mailbox.depth().0, 1);
    rig
}

fn deliver(rig: &Rig, packet: &bytes::Bytes, volatile: bool, slow: SlowClients) -> (Pushed, usize) {
    let mut delivery = Delivery::new(volatile, slow);
    let pushed = rig.mailbox.deliver(&packet.clone().into(), &mut delivery);
    (pushed, delivery.dropped)
}

async fn read(rig: &mut Rig, until: &str) -> Vec<String> {
    let mut read = Vec::new();
    loop {
        let next = text(&mut rig.client).await;
        let last = next == until;
        read.push(next);
        if last {
            return read;
        }
    }
}

#[tokio::test]
async fn the_default_holds_a_burst_of_a_thousand_events() {
    let rig = rig_with_buffer(patient(), 64).await;
    let event = text_frame(&format!("42[\"event\",\"{}\"]", "x".repeat(1024)));
    for n in 0..1_000 {
        let (pushed, _) = deliver(&rig, &event, false, SlowClients::default());
        assert_ne!(pushed, Pushed::Refused, "{n}");
    }
    let (packets, bytes) = rig.mailbox.depth();
    assert!(packets >= 999 && bytes > 1_000 * 1024, "{packets}, {bytes}");
    assert_eq!(rig.inbound.closed(), None);
}

#[tokio::test]
async fn what_is_volatile_gives_way_the_oldest_first() {
    let mut rig = stalled(5).await;
    let policy = SlowClients::DropVolatile;
    for (packet, volatile, dropped) in [
        ("4a", true, 0),
        ("4b", false, 0),
        ("4c", true, 0),
        ("4d", false, 0),
        // Five with the one that is begun.
        ("4e", true, 1),
        ("4f", false, 1),
        ("4g", false, 1),
    ] {
        let pushed = deliver(&rig, &text_frame(packet), volatile, policy);
        assert_eq!(pushed, (Pushed::Queued, dropped), "{packet}");
    }
    // What is volatile itself harms nobody when there is nothing left to drop.
    let late = deliver(&rig, &text_frame("4h"), true, policy);
    assert_eq!(late, (Pushed::Dropped, 1));
    let read = read(&mut rig, "4g").await;
    assert_eq!(read[1..], ["4b", "4d", "4f", "4g"]);
    assert_eq!(rig.mailbox.depth(), (0, 0));

    // And what is not ends the connection.
    let rig = stalled(2).await;
    let packet = text_frame("4x");
    let pushed = deliver(&rig, &packet, false, policy);
    assert_eq!(pushed, (Pushed::Queued, 0));
    let pushed = deliver(&rig, &packet, false, policy);
    assert_eq!(pushed, (Pushed::Refused, 0));
}

/// By bytes, several may have to give way to one.
#[tokio::test]
async fn a_large_packet_takes_the_place_of_small_ones() {
    let mut rig = {
        let config = EngineConfig {
            max_queued_bytes: 1_000,
            ..patient()
        };
        rig_with_buffer(config, 16).await
    };
    let policy = SlowClients::DropVolatile;
    let first = text_frame(&format!("4{}", "x".repeat(97)));
    assert_eq!(rig.mailbox.push(&first.into(), false), Pushed::Marked);
    rig.mailbox.flush();
    for n in 0..9 {
        let small = text_frame(&format!("4{n}{}", "x".repeat(96)));
        assert_eq!(deliver(&rig, &small, true, policy), (Pushed::Queued, 0));
    }
    assert_eq!(rig.mailbox.depth(), (10, 1_000));
    let large = text_frame(&format!("4large{}", "x".repeat(240)));
    assert_eq!(deliver(&rig, &large, false, policy), (Pushed::Queued, 3));
    let read = read(&mut rig, &format!("4large{}", "x".repeat(240))).await;
    let begins: Vec<_> = read[1..7].iter().map(|packet| &packet[..2]).collect();
    assert_eq!(begins, ["43", "44", "45", "46", "47", "48"]);
}

#[tokio::test]
async fn whoever_waits_goes_on_when_half_the_queue_is_free() {
    let mut rig = stalled(8).await;
    let mut rooms = Vec::new();
    for n in 0..7 {
        let mut delivery = Delivery::new(false, SlowClients::Wait);
        let packet = text_frame(&format!("4{n}{}", "x".repeat(100)));
        assert_eq!(
            rig.mailbox.deliver(&packet.into(), &mut delivery),
            Pushed::Queued
        );
        rooms.push(delivery.room());
    }
    let waits: Vec<_> = rooms.iter().map(Option::is_some).collect();
    assert_eq!(waits, [false, false, false, true, true, true, true]);
    let mut waiting: Vec<_> = rooms.into_iter().flatten().collect();
    for room in &mut waiting {
        assert!(room.now_or_never().is_none());
    }
    // All of them, once four or fewer are left.
    for _ in 0..4 {
        text(&mut rig.client).await;
    }
    for room in waiting {
        room.await;
    }
    assert!(rig.mailbox.depth().0 <= 4);
}

#[tokio::test]
async fn nobody_waits_for_a_client_that_is_gone() {
    for by_overflow in [false, true] {
        let rig = stalled(4).await;
        let wait = |rig: &Rig| {
            let mut delivery = Delivery::new(false, SlowClients::Wait);
            let pushed = rig.mailbox.deliver(&text_frame("4x").into(), &mut delivery);
            (pushed, delivery.room())
        };
        assert!(wait(&rig).1.is_none());
        let (_, mut room) = wait(&rig);
        assert!(
            room.as_mut()
                .expect("there is none")
                .now_or_never()
                .is_none()
        );
        match by_overflow {
            true => {
                assert_eq!(wait(&rig).0, Pushed::Queued);
                let (pushed, none) = wait(&rig);
                assert_eq!(pushed, Pushed::Refused);
                assert!(none.is_none());
            }
            false => rig.task.abort(),
        }
        room.expect("there was none").await;
    }
}

#[tokio::test]
async fn a_client_that_polls_makes_room_with_a_get() {
    let config = EngineConfig {
        max_queued_packets: 4,
        ..patient()
    };
    let rig = polling::rig(config);
    let mut room = None;
    for _ in 0..3 {
        let mut delivery = Delivery::new(false, SlowClients::Wait);
        let pushed = rig.mailbox.deliver(&text_frame("4x").into(), &mut delivery);
        assert_ne!(pushed, Pushed::Refused);
        room = delivery.room();
    }
    let mut room = room.expect("more than half is full");
    assert!((&mut room).now_or_never().is_none());
    assert_eq!(rig.get().body().await, "4x\x1e4x\x1e4x");
    room.await;
}

#[tokio::test]
async fn a_slow_client_is_told_apart_from_a_broken_one() {
    let mut rig = stalled(2).await;
    let packet = text_frame("4x");
    while deliver(&rig, &packet, false, SlowClients::Disconnect).0 != Pushed::Refused {}
    while let Some(Ok(frame)) = rig.client.next().await {
        if let Frame::Close(frame) = frame {
            assert_eq!(frame, None);
        }
    }
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::SlowClient));
    assert_eq!(rig.engine.counters().closed()["slow_client"], 1);
}
