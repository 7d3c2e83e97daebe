//! Broadcasts, and the acknowledgements that are collected.

use super::*;
use futures_util::FutureExt;

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
    for _ in 0..300 {
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

/// A broadcast to many is written in turns, between which others are served.
#[tokio::test]
async fn a_broadcast_does_not_keep_others_waiting() {
    let house = house();
    let mut members = Vec::new();
    for _ in 0..500 {
        members.push(house.member().await);
    }
    let mut asks = house.member().await;
    house
        .main
        .emit(&Selection::everybody(), Flags::default(), event("news"))
        .unwrap();
    // It comes when the broadcast is about to be written.
    asks.send(r#"420["join","a"]"#).await;
    let mut heard = Vec::new();
    while heard.last().map(String::as_str) != Some(r#"430["a"]"#) {
        heard.push(asks.next().await);
    }
    let told = members
        .iter_mut()
        .filter_map(|member| member.stream.next().now_or_never());
    let told = told.count();
    assert!(told <= 64, "{told} of 500 were first");
}
