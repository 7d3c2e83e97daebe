//! Clients of revision 3, which ping and frame otherwise; what is not here is as in revision 4.

use super::{Frame, Rig, change, close_frame, patient, polling, push, rig_of, send, text};
use crate::{
    engine::{Engine, EngineConfig, Form, Revision, Via},
    session::DisconnectReason,
    wire::websocket::{binary_frame, text_frame},
};
use futures_util::{SinkExt, StreamExt};
use std::{future::poll_fn, sync::Arc, time::Duration};
use tokio::time::Instant;

async fn rig() -> Rig {
    rig_of(Revision::V3, patient(), 64 * 1024).await
}

fn polling_rig(form: Form, config: EngineConfig) -> polling::Rig {
    let engine = Arc::new(Engine::new());
    assert!(engine.configure(config));
    polling::rig_of(form, engine)
}

fn attached() -> bytes::Bytes {
    let mut packet = text_frame("451-[\"é\"]").to_vec();
    packet.extend_from_slice(&binary_frame(&[1, 2, 3]));
    packet.into()
}

#[tokio::test(start_paused = true)]
async fn the_client_pings_and_the_server_answers() {
    let mut rig = rig().await;
    for ping in ["2", "2probe", "2"] {
        tokio::time::sleep(Duration::from_secs(44)).await;
        rig.client.send(send(ping)).await.unwrap();
        assert_eq!(text(&mut rig.client).await, "3");
    }
    // The client falls silent; what it says otherwise is no sign of life.
    let silent = Instant::now();
    tokio::time::sleep(Duration::from_secs(40)).await;
    rig.client.send(send("4still here")).await.unwrap();
    assert_eq!(close_frame(&mut rig.client).await, None);
    let waited = silent.elapsed();
    assert!(waited >= Duration::from_secs(45), "{waited:?}");
    assert!(waited < Duration::from_millis(45_050), "{waited:?}");
    assert_eq!(rig.inbound.messages(), ["still here"]);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::PingTimeout));
}

#[tokio::test]
async fn a_client_that_answers_pings_is_closed() {
    let mut rig = rig().await;
    rig.client.send(send("3")).await.unwrap();
    assert_eq!(close_frame(&mut rig.client).await, None);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportError));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_we_do_not_read_from_is_not_timed_out() {
    let mut rig = rig().await;
    rig.inbound.set(|seen| seen.full = true);
    rig.client.send(send("4parked")).await.unwrap();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        rig.client.send(send("2")).await.unwrap();
    }
    assert_eq!(rig.inbound.closed(), None);
    rig.inbound.set(|seen| seen.full = false);
    for _ in 0..5 {
        assert_eq!(text(&mut rig.client).await, "3");
    }
    assert_eq!(rig.inbound.messages(), ["parked"]);
    assert_eq!(close_frame(&mut rig.client).await, None);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::PingTimeout));
}

#[tokio::test]
async fn binary_messages_carry_their_type() {
    let mut rig = rig().await;
    rig.client.send(Frame::binary(vec![4, 1, 2])).await.unwrap();
    rig.client.send(send("b4AQI=")).await.unwrap();
    rig.client.send(send("2")).await.unwrap();
    assert_eq!(text(&mut rig.client).await, "3");
    assert_eq!(rig.inbound.messages(), ["[1, 2]", "[1, 2]"]);
    push(&rig, &attached());
    assert_eq!(text(&mut rig.client).await, "451-[\"é\"]");
    let attachment = rig.client.next().await.unwrap().unwrap();
    assert_eq!(attachment, Frame::binary(vec![4, 1, 2, 3]));
    // Without a type it is no packet.
    rig.client.send(Frame::binary(vec![1, 2])).await.unwrap();
    assert_eq!(close_frame(&mut rig.client).await, None);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::ParseError));
}

/// However many pings there are, as long as their answers are read.
#[tokio::test]
async fn a_flood_of_pings_is_answered_or_ends_the_connection() {
    let mut config = patient();
    config.max_queued_packets = 1_000;
    let rig = polling_rig(Form::V3, config.clone());
    assert!(rig.push("1:2".repeat(1_000)).await);
    assert_eq!(rig.get().body().await, "1:3".repeat(1_000));
    assert!(!rig.push("1:2".repeat(1_001)).await);
    rig.ended(DisconnectReason::SlowClient).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_polled() {
    let rig = polling_rig(Form::V3, patient());
    let get = rig.get();
    assert!(rig.push("1:2").await);
    assert_eq!(get.body().await, "1:3", "a ping releases the GET");
    assert!(rig.push("3:4ab6:b4AQI=2:4€0:").await);
    assert_eq!(rig.inbound.messages(), ["ab", "[1, 2]", "€"]);
    let post = rig.post();
    post.hand_in(b"\x01\x03\xff\x04\x07\x08".to_vec(), true);
    assert!(poll_fn(|cx| post.poll_taken(cx)).await);
    drop(post);
    assert_eq!(rig.inbound.messages()[3..], ["[7, 8]"]);

    rig.emit(&text_frame("4a"));
    rig.emit(&text_frame("4€"));
    assert_eq!(rig.get().body().await, "2:4a2:4€");
    rig.emit(&attached());
    let body = rig.get().answer().await;
    assert_eq!(body.content_type, "application/octet-stream");
    let expected = b"\x00\x01\x00\xff451-[\"\xc3\xa9\"]\x01\x04\xff\x04\x01\x02\x03";
    assert_eq!(body.bytes, expected[..]);

    let get = rig.get();
    assert_eq!(get.body().await, "1:1", "silence ends the session");
    rig.ended(DisconnectReason::PingTimeout).await;
}

#[tokio::test]
async fn bodies_are_what_the_handshake_asked_for() {
    for (form, content_type, expected) in [
        (
            Form::V3Text,
            "text/plain; charset=UTF-8",
            "9:451-[\"é\"]6:b4AQID",
        ),
        (
            Form::V3Jsonp(3),
            "text/javascript; charset=UTF-8",
            "___eio[3](\"9:451-[\\\"é\\\"]6:b4AQID\");",
        ),
    ] {
        let rig = polling_rig(form, patient());
        rig.emit(&attached());
        let body = rig.get().answer().await;
        assert_eq!(body.content_type, content_type);
        assert_eq!(body.bytes, expected);
    }
}

#[tokio::test]
async fn bodies_that_are_none_end_the_session() {
    for (form, body, before) in [
        (Form::V3, "", &[][..]),
        (Form::V3, "4a", &[]),
        (Form::V3, "2:4a3:4b", &["a"]),
        (Form::V3, "2:4a1:7", &["a"]),
        (Form::V3Jsonp(3), "2:4a", &[]),
        (Form::V3Jsonp(3), "d=2:4a9", &["a"]),
    ] {
        let rig = polling_rig(form, patient());
        assert!(!rig.push(body).await, "{body:?}");
        assert_eq!(rig.inbound.messages(), before, "{body:?}");
        rig.ended(DisconnectReason::ParseError).await;
    }
    let mut config = patient();
    config.limits.max_packets_per_post = 2;
    let rig = polling_rig(Form::V3, config);
    assert!(rig.push("2:4a2:4b").await);
    assert!(!rig.push("2:4c0:2:4d").await, "the empty one counts");
    assert_eq!(rig.inbound.messages(), ["a", "b"], "nothing of it is taken");
    rig.ended(DisconnectReason::TransportError).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_changes_to_websocket() {
    for form in [Form::V3, Form::V3Text, Form::V3Jsonp(3)] {
        let rig = polling_rig(form, patient());
        let get = rig.get();
        let (mut client, changing) = change::websocket(&rig).await;
        change::probe(&mut client).await;
        assert!(get.body().await.contains("1:6"), "the poll is released");
        rig.emit(&attached());
        client.send(send("5")).await.unwrap();
        changing.await.unwrap();
        assert_eq!(rig.session().unwrap().via(), Via::WebSocket);
        assert_eq!(text(&mut client).await, "451-[\"é\"]");
        let attachment = client.next().await.unwrap().unwrap();
        assert_eq!(attachment, Frame::binary(vec![4, 1, 2, 3]));
        client.send(send("2")).await.unwrap();
        assert_eq!(text(&mut client).await, "3");
        client.send(Frame::binary(vec![4, 9])).await.unwrap();
        assert_eq!(close_frame(&mut client).await, None);
        assert_eq!(rig.inbound.messages(), ["[9]"]);
        rig.ended(DisconnectReason::PingTimeout).await;
    }
}
