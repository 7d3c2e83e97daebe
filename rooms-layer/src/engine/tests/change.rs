//! The change from polling to WebSocket: nothing is lost, doubled or reordered, whatever the client does.

use super::{
    Frame, Recorder, close_frame, patient,
    polling::{self, Rig, rig, rig_on},
    send, text,
};
use crate::{
    engine::{Batch, Engine, EngineConfig, Mailbox, Rejected, Via},
    session::{CloseCause, DisconnectReason},
    transport::stream_pipe,
    wire::websocket::text_frame,
};
use futures_util::{SinkExt, StreamExt};
use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::Instant,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

type Client = WebSocketStream<DuplexStream>;

/// Opens a WebSocket beside the session.
pub(super) async fn websocket(rig: &Rig) -> (Client, JoinHandle<()>) {
    let (ours, theirs) = duplex(64 * 1024);
    let session = rig.session().expect("an open session");
    let change = tokio::spawn(async move { session.change(stream_pipe(ours), &[]).await });
    let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    (client, change)
}

pub(super) async fn probe(client: &mut Client) {
    client.send(send("2probe")).await.unwrap();
    assert_eq!(text(client).await, "3probe");
}

/// Changes as the stock client does.
pub(super) async fn changed(rig: &Rig) -> Client {
    let (mut client, change) = websocket(rig).await;
    probe(&mut client).await;
    client.send(send("5")).await.unwrap();
    change.await.unwrap();
    client
}

#[tokio::test]
async fn a_client_changes_to_websocket() {
    let rig = rig(patient());
    let get = rig.get();
    let (mut client, change) = websocket(&rig).await;
    // Until it is asked, the session goes on as before.
    rig.emit(&text_frame("4before"));
    assert_eq!(get.body().await, "4before");
    let get = rig.get();
    probe(&mut client).await;
    assert_eq!(get.body().await, "6", "the poll is released at once");
    assert_eq!(rig.get().body().await, "6", "and so is any other");
    assert!(rig.push("4while probing").await);
    // What is emitted now is still for a poll, if there is one, and else for the WebSocket.
    rig.emit(&text_frame("4polled"));
    assert_eq!(rig.get().body().await, "4polled");
    rig.emit(&text_frame("4kept"));
    assert_eq!(rig.session().unwrap().via(), Via::Polling);
    client.send(send("5")).await.unwrap();
    change.await.unwrap();
    assert_eq!(rig.session().unwrap().via(), Via::WebSocket);
    assert_eq!(text(&mut client).await, "4kept");
    rig.emit(&text_frame("4after"));
    assert_eq!(text(&mut client).await, "4after");
    client.send(send("4upwards")).await.unwrap();
    client.close(None).await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages(), ["while probing", "upwards"]);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportClose));
    assert_eq!(rig.engine.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_go_on_after_the_change() {
    let rig = rig(patient());
    let mut client = changed(&rig).await;
    for _ in 0..3 {
        assert_eq!(text(&mut client).await, "2");
        client.send(send("3")).await.unwrap();
    }
    assert_eq!(text(&mut client).await, "2");
    assert_eq!(close_frame(&mut client).await, None);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::PingTimeout));
}

#[tokio::test]
async fn requests_after_the_change_are_refused_and_change_nothing() {
    let rig = rig(patient());
    let early = rig.session().unwrap();
    let another = rig.session().unwrap();
    let get = rig.get();
    let (mut client, change) = websocket(&rig).await;
    // Without a probe, and with a poll still waiting, which is told to give up, though it was about to bring something.
    rig.emit(&text_frame("4kept"));
    client.send(send("5")).await.unwrap();
    change.await.unwrap();
    assert_eq!(get.body().await, "1");
    assert_eq!(text(&mut client).await, "4kept");
    assert_eq!(early.get().err(), Some(Rejected::Changed));
    assert_eq!(another.post().err(), Some(Rejected::Changed));
    rig.emit(&text_frame("4fine"));
    assert_eq!(text(&mut client).await, "4fine");
}

#[tokio::test]
async fn a_poll_given_up_after_the_change_does_no_harm() {
    let rig = rig(patient());
    let get = rig.get();
    let mut client = changed(&rig).await;
    drop(get);
    rig.emit(&text_frame("4fine"));
    assert_eq!(text(&mut client).await, "4fine");
    assert_eq!(rig.inbound.closed(), None);
}

#[tokio::test]
async fn what_follows_the_change_in_one_write_is_read() {
    let rig = rig(patient());
    let (ours, mut theirs) = duplex(64 * 1024);
    let session = rig.session().unwrap();
    // "2probe", "5" and "4a", masked with zeros, cut anywhere, the first part read with the request.
    let frames = b"\x81\x86\0\0\0\x002probe\x81\x81\0\0\0\x005\x81\x82\0\0\0\x004a";
    let rest = b"\x81\x82\0\0\0\x004b";
    theirs.write_all(&frames[7..]).await.unwrap();
    theirs.write_all(rest).await.unwrap();
    session.change(stream_pipe(ours), &frames[..7]).await;
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    assert_eq!(text(&mut client).await, "3probe");
    client.close(None).await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages(), ["a", "b"]);
}

/// Sends `5` while a POST is under way, and returns when it has been read.
async fn change_behind_a_post(rig: &Rig) -> (Client, JoinHandle<()>) {
    let (mut client, change) = websocket(rig).await;
    client.send(send("5")).await.unwrap();
    client.send(send("4last")).await.unwrap();
    while rig.session().unwrap().via() == Via::Polling {
        tokio::task::yield_now().await;
    }
    assert!(!change.is_finished(), "it waits for the POST");
    (client, change)
}

#[tokio::test]
async fn a_post_under_way_is_taken_before_what_the_websocket_brings() {
    let rig = rig(patient());
    rig.inbound.set(|seen| seen.full = true);
    let get = rig.get();
    let post = rig.session().unwrap().post().unwrap();
    post.hand_in(b"4first\x1e4second".to_vec(), false);
    let (mut client, change) = change_behind_a_post(&rig).await;
    // What is emitted now is for the WebSocket, though a poll is there to take it.
    rig.emit(&text_frame("4kept"));
    assert_eq!(get.body().await, "1");
    let taken = post.poll_taken(&mut Context::from_waker(Waker::noop()));
    assert!(taken.is_pending());
    rig.inbound.set(|seen| seen.full = false);
    assert!(poll_fn(|cx| post.poll_taken(cx)).await);
    change.await.unwrap();
    assert_eq!(text(&mut client).await, "4kept");
    client.close(None).await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages(), ["first", "second", "last"]);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_brings_nothing_lets_the_change_go_on() {
    let rig = rig(patient());
    let post = rig.session().unwrap().post().unwrap();
    let (mut client, change) = change_behind_a_post(&rig).await;
    let start = Instant::now();
    post.forgo();
    change.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
    client.close(None).await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages(), ["last"]);
}

#[tokio::test]
async fn a_post_that_is_given_up_ends_the_session_that_waits_for_it() {
    let rig = rig(patient());
    let post = rig.session().unwrap().post().unwrap();
    let (mut client, change) = change_behind_a_post(&rig).await;
    drop(post);
    assert_eq!(close_frame(&mut client).await, None);
    drop(client);
    change.await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportError));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_leaves_the_session_on_polling() {
    enum Failure {
        Sends(&'static [&'static str]),
        Binary,
        Closes,
        Vanishes,
        Idles,
        IdlesAfterProbe,
        TooLong,
    }
    use Failure::*;
    for (name, failure) in [
        ("another packet", Sends(&["40"])),
        ("no packet", Sends(&[""])),
        ("another ping", Sends(&["2"])),
        ("a packet after the probe", Sends(&["2probe", "4early"])),
        ("a pong", Sends(&["2probe", "2probe", "3"])),
        ("binary", Binary),
        ("a close frame", Closes),
        ("the end of the stream", Vanishes),
        ("nothing", Idles),
        ("nothing more", IdlesAfterProbe),
        ("a long packet", TooLong),
    ] {
        let rig = rig(patient());
        let (mut client, change) = websocket(&rig).await;
        let start = Instant::now();
        let idles = matches!(failure, Idles | IdlesAfterProbe);
        match failure {
            Sends(packets) => {
                for packet in packets {
                    client.send(send(packet)).await.unwrap();
                }
            }
            Binary => client.send(Frame::binary(vec![1])).await.unwrap(),
            Closes => client.close(None).await.unwrap(),
            Vanishes => drop(std::mem::replace(&mut client, websocket_to_nobody().await)),
            Idles => {}
            IdlesAfterProbe => probe(&mut client).await,
            TooLong => client.send(send(&"2".repeat(100_000))).await.unwrap(),
        }
        while let Some(Ok(frame)) = client.next().await {
            assert!(
                matches!(frame, Frame::Text(_) | Frame::Close(None)),
                "{name}: {frame:?}"
            );
        }
        change.await.unwrap();
        let waited = start.elapsed();
        assert_eq!(
            waited >= Duration::from_secs(10),
            idles,
            "{name}: {waited:?}"
        );
        // The session polls on, and may try again.
        let get = rig.get();
        rig.emit(&text_frame("4polled"));
        assert_eq!(get.body().await, "4polled", "{name}");
        assert!(rig.push("4pushed").await, "{name}");
        let mut client = changed(&rig).await;
        rig.emit(&text_frame("4at last"));
        assert_eq!(text(&mut client).await, "4at last", "{name}");
        assert_eq!(rig.inbound.messages(), ["pushed"], "{name}");
    }
}

/// A stream whose other end is gone.
async fn websocket_to_nobody() -> Client {
    let (ours, _) = duplex(1);
    WebSocketStream::from_raw_socket(ours, Role::Client, None).await
}

#[tokio::test]
async fn a_second_websocket_is_told_goodbye() {
    let rig = rig(patient());
    let (mut first, change) = websocket(&rig).await;
    probe(&mut first).await;
    let (mut second, refused) = websocket(&rig).await;
    assert_eq!(close_frame(&mut second).await, None);
    drop(second);
    refused.await.unwrap();
    first.send(send("5")).await.unwrap();
    change.await.unwrap();
    let (mut third, refused) = websocket(&rig).await;
    assert_eq!(close_frame(&mut third).await, None);
    drop(third);
    refused.await.unwrap();
    rig.emit(&text_frame("4fine"));
    assert_eq!(text(&mut first).await, "4fine");
    assert_eq!(rig.inbound.closed(), None);
}

#[tokio::test]
async fn pings_of_a_probing_websocket_are_answered() {
    let rig = rig(patient());
    let (mut client, _change) = websocket(&rig).await;
    client.send(Frame::Ping(b"hi"[..].into())).await.unwrap();
    let pong = client.next().await.unwrap().unwrap();
    assert_eq!(pong, Frame::Pong(b"hi"[..].into()));
    probe(&mut client).await;
}

#[tokio::test]
async fn a_session_that_ends_while_it_changes_ends_on_either_side() {
    // Before `5`: over polling.
    let before = rig(patient());
    let (mut client, change) = websocket(&before).await;
    probe(&mut client).await;
    before.engine.close(CloseCause::ServerClosed);
    assert_eq!(before.get().body().await, "1");
    client.send(send("5")).await.unwrap();
    assert_eq!(close_frame(&mut client).await, None);
    drop(client);
    change.await.unwrap();
    before.task.await.unwrap();
    // After: over WebSocket, with what is queued.
    let after = rig(patient());
    let (mut client, change) = websocket(&after).await;
    probe(&mut client).await;
    after.emit(&text_frame("4last words"));
    client.send(send("5")).await.unwrap();
    change.await.unwrap();
    after.engine.close(CloseCause::ServerClosed);
    assert_eq!(text(&mut client).await, "4last words");
    assert_eq!(close_frame(&mut client).await, None);
    drop(client);
    after.task.await.unwrap();
    assert_eq!(
        after.inbound.closed(),
        Some(DisconnectReason::ForcedServerClose)
    );
}

/// Numbered packets in both directions, while each of a thousand sessions polls, probes and changes as the stock client does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sessions_change_without_loss_doubling_or_reordering() {
    const SESSIONS: usize = 1_000;
    const PACKETS: usize = 300;
    let engine = Arc::new(Engine::new());
    assert!(engine.configure(EngineConfig {
        // Slow machines are no reason to fail.
        upgrade_timeout: Duration::from_secs(600),
        ping_interval: Duration::from_secs(600),
        ..patient()
    }));
    let mut mailboxes: Vec<Arc<Mailbox>> = Vec::new();
    let mut clients = Vec::new();
    for index in 0..SESSIONS {
        let rig = rig_on(engine.clone());
        mailboxes.push(rig.mailbox.clone());
        clients.push(tokio::spawn(converse(rig, index, PACKETS)));
    }
    let emitter = tokio::spawn(async move {
        for n in 0..PACKETS {
            let packet = text_frame(&format!("4{n}")).into();
            let mut batch = Batch::new(engine.flusher());
            for mailbox in &mailboxes {
                mailbox.send(&packet, &mut batch);
            }
            drop(batch);
            tokio::task::yield_now().await;
        }
    });
    let mut on_both = 0;
    for client in clients {
        on_both += usize::from(client.await.unwrap());
    }
    assert!(
        on_both > SESSIONS / 2,
        "{on_both} changed while they were sent to"
    );
    emitter.await.unwrap();
}

/// One client: polls a while, changes, reads the rest; and sends numbers all the time. Whether it was sent to on either
/// transport.
async fn converse(rig: Rig, index: usize, packets: usize) -> bool {
    let mut next = 0;
    let mut take = |body: &str| {
        for packet in body.split('\x1e').filter(|packet| *packet != "6") {
            assert_eq!(packet, format!("4{next}"), "client {index}");
            next += 1;
        }
        next
    };
    let mut sent = 0;
    let mut number = || {
        sent += 1;
        format!("4{}", sent - 1)
    };
    // How much is polled before the change begins differs from one to the other.
    let begin = index % 50;
    while take(&rig.get().body().await) < begin {
        assert!(rig.push(number()).await);
    }
    let (mut client, change) = websocket(&rig).await;
    client.send(send("2probe")).await.unwrap();
    // The poll that waits is released by the answer to the probe, or brings packets; then the client polls no more.
    let pausing = tokio::spawn({
        let session = rig.session().unwrap();
        async move { session.get().unwrap().await }
    });
    assert!(rig.push(number()).await);
    assert_eq!(text(&mut client).await, "3probe");
    let mut seen = take(&polling::text(pausing.await.unwrap()));
    client.feed(send("5")).await.unwrap();
    for _ in 0..20 {
        client.feed(send(&number())).await.unwrap();
    }
    client.flush().await.unwrap();
    let on_both = (1..packets).contains(&seen);
    while seen < packets {
        seen = take(&text(&mut client).await);
    }
    change.await.unwrap();
    client.close(None).await.unwrap();
    rig.task.await.unwrap();
    let received: Vec<_> = (0..sent).map(|n| n.to_string()).collect();
    assert_eq!(Recorder::messages(&rig.inbound), received, "client {index}");
    on_both
}
