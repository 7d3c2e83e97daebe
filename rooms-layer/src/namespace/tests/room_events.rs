//! What watchers of rooms are told.

use super::*;
use crate::namespace::{Lagged, RoomEvent, RoomEvents};

/// The events up to one that says this, as text, with the id of the client as `me`.
async fn told(events: &mut RoomEvents, me: &str, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|text| text != last) {
        let event = events.next().await.expect("the namespace is there");
        let room = |room: &str| room.replace(me, "me");
        told.push(match event.expect("the reader keeps up") {
            RoomEvent::Created { room: name } => format!("{} created", room(&name)),
            RoomEvent::Joined { room: name, socket } => {
                assert_eq!(socket.as_str(), me);
                format!("{} joined", room(&name))
            }
            RoomEvent::Left { room: name, socket } => {
                assert_eq!(socket.as_str(), me);
                format!("{} left", room(&name))
            }
            RoomEvent::Deleted { room: name } => format!("{} deleted", room(&name)),
        });
    }
    told
}

#[tokio::test]
async fn rooms_are_created_joined_left_and_deleted() {
    let house = house();
    let mut other = house.member().await;
    other.send(r#"420["join","b"]"#).await;
    assert_eq!(other.next().await, r#"430["b"]"#);

    let mut events = house.main.room_events();
    let client = house.member().await;
    let peer = house.notes.peer(1);
    let me = peer.id().as_str();
    // What changes nothing is not told.
    drop(peer.join(vec!["a".into(), "b".into(), "a".into()]));
    drop(peer.leave(vec!["a".into(), "c".into()]));
    drop(peer.leave(vec![me.into()]));
    drop(peer.join(vec![me.into()]));
    drop(peer.join(vec!["a".into()]));
    client.leave().await;
    let mut last = told(&mut events, me, "b left").await;
    let before = [
        "me created",
        "me joined",
        "a created",
        "a joined",
        "b joined",
        "a left",
        "a deleted",
        "me left",
        "me deleted",
        "me created",
        "me joined",
        "a created",
        "a joined",
    ];
    let departure = last.split_off(before.len());
    assert_eq!(last, before);
    assert_eq!(departure[..2], ["me left", "me deleted"]);
    assert!(departure.contains(&"b left".to_owned()));
}

#[tokio::test]
async fn a_reader_that_lags_is_told_how_much_it_missed() {
    let house = house();
    let _client = house.member().await;
    let peer = house.notes.peer(0);
    let mut events = house.main.room_events();
    for _ in 0..300 {
        drop(peer.join(vec!["a".into()]));
        drop(peer.leave(vec!["a".into()]));
    }
    assert_eq!(events.next().await, Some(Err(Lagged(1_200 - 1_024))));
    let mut read = 0;
    while let Some(Ok(_)) = events.next().await {
        read += 1;
        if read == 1_024 {
            break;
        }
    }
    drop(peer.join(vec!["z".into()]));
    let created = RoomEvent::Created { room: "z".into() };
    assert_eq!(events.next().await, Some(Ok(created)));
}

#[tokio::test]
async fn the_events_end_with_the_namespace() {
    let house = house();
    let mut events = house.main.room_events();
    drop(house);
    assert_eq!(events.next().await, None);
}
