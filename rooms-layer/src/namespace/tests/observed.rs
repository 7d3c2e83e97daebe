//! What was observed of Node's server and is seen in no other test here: see `tests/OBSERVED.md`.

use super::house;
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_broken_rule_is_a_forced_close() {
    for packet in [
        "40",
        "44",
        "4",
        "47",
        "4 ",
        "42[]",
        "42/side,[\"a\"]",
        "43/side,1[]",
        "41/side,",
        "450-[\"a\"]",
        "42[\"disconnect\"]",
    ] {
        let house = house();
        let mut client = house.member().await;
        client.send(packet).await;
        assert!(client.end().await.is_empty(), "{packet}");
        let calls = house.notes.wait_for(2).await;
        assert_eq!(calls[1], "disconnecting forced close []", "{packet}");
    }
}

/// On Node both end the connection, since one kind of packet is handled at once and the other a moment later.
#[tokio::test]
async fn a_burst_is_handled_in_its_order() {
    let house = house();
    let mut client = house.visit().await;
    for packet in [
        "40",
        r#"421["first","x"]"#,
        "41",
        "40",
        r#"422["second","y"]"#,
    ] {
        let packet = Message::text(packet.to_owned());
        client.stream.feed(packet).await.unwrap();
    }
    client.stream.flush().await.unwrap();
    let first = client.next().await;
    assert_eq!(client.next().await, r#"431["x"]"#);
    let second = client.next().await;
    assert_eq!(client.next().await, r#"432["y"]"#);
    assert!(first.starts_with("40{") && second.starts_with("40{"));
    assert_ne!(first, second);
}

#[tokio::test]
async fn pongs_may_come_between_a_packet_and_its_attachments() {
    let house = house();
    let mut client = house.member().await;
    client
        .send(r#"452-1["photo","x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#)
        .await;
    client.send("3").await;
    client.stream.send(Message::binary(vec![1])).await.unwrap();
    client
        .stream
        .send(Message::Ping(vec![2].into()))
        .await
        .unwrap();
    client.send("3").await;
    // Empty, which is as good as any.
    client.stream.send(Message::binary(vec![])).await.unwrap();
    loop {
        match futures_util::StreamExt::next(&mut client.stream).await {
            Some(Ok(Message::Pong(_))) => {}
            Some(Ok(Message::Text(text))) => break assert_eq!(text.as_str(), r#"431["x"]"#),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_of_socket_io_2_may_leave_the_main_namespace_and_come_back() {
    let house = house();
    let mut client = house.member_by_v3().await;
    client.send("41").await;
    client.send("40").await;
    assert_eq!(client.next().await, "40");
    client.send(r#"421["event","x"]"#).await;
    assert_eq!(client.next().await, r#"431["x"]"#);
}
