//! Being let in, events and their handlers, and the bounds of both.

use super::*;

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
