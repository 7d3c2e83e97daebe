//! What clients begin to send and do not end.

use super::{Frame, close_frame, patient, polling, rig_on};
use crate::{
    engine::{Engine, EngineConfig, Revision},
    session::DisconnectReason,
};
use futures_util::SinkExt;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame as Fragment,
    coding::{CloseCode, Data, OpCode},
};

fn engine(max_held_bytes: usize) -> Arc<Engine> {
    let engine = Arc::new(Engine::new());
    assert!(engine.configure(EngineConfig {
        max_held_bytes,
        ..patient()
    }));
    engine
}

fn fragment(bytes: usize, opcode: Data, is_final: bool) -> Frame {
    let payload = vec![b'4'; bytes];
    Frame::Frame(Fragment::message(payload, OpCode::Data(opcode), is_final))
}

/// Waits until what is held for all clients is as it should be.
async fn holds(engine: &Engine, range: std::ops::RangeInclusive<usize>) {
    let waiting = async {
        while !range.contains(&engine.held()) {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await;
    assert!(waited.is_ok(), "{} bytes are held", engine.held());
}

#[tokio::test]
async fn messages_that_never_end_are_bounded_in_all() {
    let engine = engine(50_000);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut rig = rig_on(engine.clone(), Revision::V4, 64 * 1024).await;
        let begin = fragment(10_000, Data::Text, false);
        rig.client.send(begin).await.unwrap();
        clients.push(rig);
        let least = clients.len() * 10_000;
        holds(&engine, least..=least + 2_000).await;
    }
    // One more would be too much, for whoever sends it.
    let mut greedy = rig_on(engine.clone(), Revision::V4, 64 * 1024).await;
    let begin = fragment(20_000, Data::Text, false);
    greedy.client.send(begin).await.unwrap();
    let frame = close_frame(&mut greedy.client).await;
    assert_eq!(frame.expect("a status code").code, CloseCode::Again);
    drop(greedy.client);
    greedy.task.await.unwrap();
    let reason = greedy.inbound.closed();
    assert_eq!(reason, Some(DisconnectReason::TransportError));
    assert_eq!(engine.counters().closed()["overloaded"], 1);

    // The others end what they have begun, or go, and nothing is held any more.
    let mut last = clients.pop().expect("a client");
    let end = fragment(10_000, Data::Continue, true);
    last.client.send(end).await.unwrap();
    holds(&engine, 30_000..=36_000).await;
    assert_eq!(last.inbound.messages()[0].len(), 19_999);
    drop(clients);
    holds(&engine, 0..=0).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_holds_nothing() {
    let engine = engine(50_000);
    let mut rig = rig_on(engine.clone(), Revision::V4, 64 * 1024).await;
    let begin = fragment(10_000, Data::Binary, false);
    rig.client.send(begin).await.unwrap();
    holds(&engine, 10_000..=12_000).await;
    rig.task.abort();
    holds(&engine, 0..=0).await;
    assert_eq!(engine.counters().closed()["task_dropped"], 1);
}

#[tokio::test]
async fn bodies_under_way_are_bounded_in_all() {
    let engine = engine(1_000);
    let (first, second) = (
        polling::rig_on(engine.clone()),
        polling::rig_on(engine.clone()),
    );
    let mut one = first.session().expect("it is open").post().unwrap();
    let mut other = second.session().expect("it is open").post().unwrap();
    one.hold(600).unwrap();
    other.hold(400).unwrap();
    assert!(other.hold(401).is_err());
    drop(other);
    assert_eq!(engine.held(), 600);
    one.hold(1_000).unwrap();
    drop(one);
    assert_eq!(engine.held(), 0);
}
