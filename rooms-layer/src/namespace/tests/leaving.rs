//! Leaving a namespace, a connection, a server: the hooks, the rooms, and what was still under way.

use super::*;

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
