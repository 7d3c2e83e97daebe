//! Connections over a duplex in memory, with a foreign WebSocket implementation as the client and a paused clock.

mod change;
mod held;
mod polling;
mod slow;
mod v3;

use super::{
    BadId, Batch, Engine, EngineConfig, Form, Inbound, Mailbox, Message, Pushed, Revision,
};
use crate::{
    session::{CloseCause, DisconnectReason},
    transport::{stream_pipe, tcp_pipe},
    wire::websocket::{binary_frame, text_frame},
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

type Frame = tungstenite::Message;

/// What the floor above has seen, and how it is to behave.
#[derive(Default)]
struct Seen {
    messages: Vec<String>,
    closed: Option<DisconnectReason>,
    /// Takes no more messages.
    full: bool,
    /// Stays busy after the end.
    busy: bool,
    task: Option<Waker>,
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Seen>>);

impl Recorder {
    fn set(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.0.lock().unwrap();
        change(&mut seen);
        if let Some(task) = seen.task.take() {
            task.wake();
        }
    }

    fn closed(&self) -> Option<DisconnectReason> {
        self.0.lock().unwrap().closed
    }

    fn messages(&self) -> Vec<String> {
        self.0.lock().unwrap().messages.clone()
    }
}

impl Inbound for Recorder {
    fn message(&mut self, message: Message<'_>, _cx: &mut Context<'_>) -> Result<(), CloseCause> {
        let text = match message {
            Message::Text("violate") => return Err(CloseCause::Violation),
            Message::Text(text) => text.to_owned(),
            Message::Binary(data) => format!("{data:?}"),
        };
        self.0.lock().unwrap().messages.push(text);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        !self.0.lock().unwrap().full
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut seen = self.0.lock().unwrap();
        seen.task = Some(cx.waker().clone());
        match seen.busy {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    fn closed(&mut self, reason: DisconnectReason, _cx: &mut Context<'_>) {
        self.0.lock().unwrap().closed = Some(reason);
    }
}

struct Rig {
    engine: Arc<Engine>,
    mailbox: Arc<Mailbox>,
    inbound: Recorder,
    client: WebSocketStream<DuplexStream>,
    task: JoinHandle<()>,
}

/// The settings of most tests: no client of theirs joins a namespace.
fn patient() -> EngineConfig {
    EngineConfig {
        connect_timeout: Duration::from_secs(3_600),
        ..EngineConfig::default()
    }
}

async fn rig(config: EngineConfig) -> Rig {
    rig_with_buffer(config, 64 * 1024).await
}

/// `buffer` is what the client's side holds before a write finds it full.
async fn rig_with_buffer(config: EngineConfig, buffer: usize) -> Rig {
    rig_of(Revision::V4, config, buffer).await
}

async fn rig_of(revision: Revision, config: EngineConfig, buffer: usize) -> Rig {
    let engine = Arc::new(Engine::new());
    assert!(engine.configure(config));
    rig_on(engine, revision, buffer).await
}

async fn rig_on(engine: Arc<Engine>, revision: Revision, buffer: usize) -> Rig {
    let (ours, theirs) = duplex(buffer);
    let inbound = Recorder::default();
    let mut mailbox = None;
    let connection = engine.connect(engine.reserve(), revision, stream_pipe(ours), &[], |made| {
        mailbox = Some(made.clone());
        inbound.clone()
    });
    let task = tokio::spawn(connection);
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    let open = text(&mut client).await;
    assert!(open.starts_with(r#"0{"sid":""#), "{open}");
    Rig {
        mailbox: mailbox.expect("`connect` has called the closure"),
        engine,
        inbound,
        client,
        task,
    }
}

async fn text(client: &mut WebSocketStream<DuplexStream>) -> String {
    match client.next().await.expect("a frame").expect("a frame") {
        Frame::Text(text) => text.to_string(),
        other => panic!("not a text: {other:?}"),
    }
}

/// The close frame that the client gets, once everything before it has been read.
async fn close_frame(client: &mut WebSocketStream<DuplexStream>) -> Option<CloseFrame> {
    loop {
        match client.next().await {
            Some(Ok(Frame::Close(frame))) => return frame,
            Some(Ok(_)) => {}
            other => panic!("the stream ended without a close frame: {other:?}"),
        }
    }
}

fn push(rig: &Rig, packet: &Bytes) -> Pushed {
    let mut batch = Batch::new(rig.engine.flusher());
    rig.mailbox.send(&packet.clone().into(), &mut batch)
}

fn send(text: &str) -> Frame {
    Frame::text(text.to_owned())
}

#[tokio::test]
async fn messages_arrive_in_order_and_leave_in_order() {
    let mut rig = rig(patient()).await;
    for n in 0..1_000 {
        rig.client.feed(send(&format!("4{n}"))).await.unwrap();
        push(&rig, &text_frame(&format!("4{n}")));
    }
    rig.client.flush().await.unwrap();
    rig.client.feed(Frame::binary(vec![1, 2])).await.unwrap();
    rig.client.flush().await.unwrap();
    for n in 0..1_000 {
        assert_eq!(text(&mut rig.client).await, format!("4{n}"));
    }
    rig.client.close(None).await.unwrap();
    rig.task.await.unwrap();
    let mut expected: Vec<_> = (0..1_000).map(|n| n.to_string()).collect();
    expected.push("[1, 2]".to_owned());
    assert_eq!(rig.inbound.messages(), expected);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportClose));
    assert_eq!(rig.engine.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_server_pings_and_the_client_answers() {
    let mut rig = rig(patient()).await;
    let start = Instant::now();
    for round in 1..=3 {
        assert_eq!(text(&mut rig.client).await, "2");
        let late = start.elapsed() - Duration::from_secs(25) * round;
        assert!(late < Duration::from_millis(50), "{late:?} late");
        rig.client.send(send("3")).await.unwrap();
    }
    // The client falls silent.
    assert_eq!(text(&mut rig.client).await, "2");
    let asked = Instant::now();
    assert_eq!(close_frame(&mut rig.client).await, None);
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_secs(20), "{waited:?}");
    assert!(waited < Duration::from_millis(20_050), "{waited:?}");
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::PingTimeout));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_joins_no_namespace_is_given_up() {
    for seconds in [5, 30, 45] {
        let config = EngineConfig {
            connect_timeout: Duration::from_secs(seconds),
            ..EngineConfig::default()
        };
        let mut stranger = rig(config.clone()).await;
        let mut member = rig(config).await;
        member.mailbox.joined();
        let start = Instant::now();
        if seconds > 25 {
            for rig in [&mut stranger, &mut member] {
                assert_eq!(text(&mut rig.client).await, "2");
                rig.client.send(send("3")).await.unwrap();
            }
        }
        assert_eq!(close_frame(&mut stranger.client).await, None);
        let waited = start.elapsed();
        assert!(waited >= Duration::from_secs(seconds), "{waited:?}");
        assert!(
            waited < Duration::from_millis(seconds * 1_000 + 50),
            "{waited:?}"
        );
        assert_eq!(
            stranger.inbound.closed(),
            Some(DisconnectReason::ForcedClose)
        );
        assert_eq!(text(&mut member.client).await, "2");
        assert_eq!(member.inbound.closed(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_never_ends_costs_nothing() {
    let config = EngineConfig {
        ping_interval: Duration::MAX,
        connect_timeout: Duration::MAX,
        ..EngineConfig::default()
    };
    let mut rig = rig(config).await;
    // Longer than 32 bits of ticks, in which a deadline may not fire early, nor the timers' task spin.
    for _ in 0..6 {
        tokio::time::advance(Duration::from_secs(100 * 24 * 60 * 60)).await;
        push(&rig, &text_frame("4still here"));
        assert_eq!(text(&mut rig.client).await, "4still here");
    }
}

#[tokio::test]
async fn a_close_frame_is_answered_with_its_code() {
    for code in [
        None,
        Some(CloseCode::Normal),
        Some(CloseCode::Library(4_321)),
    ] {
        let mut rig = rig(patient()).await;
        let frame = code.map(|code| CloseFrame {
            code,
            reason: "bye".into(),
        });
        rig.client.close(frame).await.unwrap();
        let answer = close_frame(&mut rig.client).await;
        assert_eq!(answer.map(|frame| frame.code), code);
        rig.task.await.unwrap();
        assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportClose));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_given_up() {
    let mut config = patient();
    config.close_timeout = Duration::from_secs(5);
    let rig = rig(config).await;
    let start = Instant::now();
    // Its end of the stream stays open, and it never reads or writes again.
    let silent = rig.client;
    rig.task.await.unwrap();
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(25 + 20 + 5), "{waited:?}");
    assert!(waited < Duration::from_secs(51), "{waited:?}");
    assert_eq!(rig.engine.connections(), 0);
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_we_do_not_read_from_is_not_timed_out() {
    let mut rig = rig(patient()).await;
    rig.inbound.set(|seen| seen.full = true);
    rig.client.send(send("4parked")).await.unwrap();
    // Long past the timeout: the pongs are in the stream, and it is we who do not look. The pings go on.
    for _ in 0..5 {
        let asked = Instant::now();
        assert_eq!(text(&mut rig.client).await, "2");
        assert!(asked.elapsed() <= Duration::from_millis(25_050));
        rig.client.send(send("3")).await.unwrap();
    }
    assert_eq!(rig.inbound.closed(), None);
    rig.inbound.set(|seen| seen.full = false);
    assert_eq!(text(&mut rig.client).await, "2");
    assert_eq!(rig.inbound.messages(), ["parked"]);
    assert_eq!(rig.inbound.closed(), None);
}

/// Whose socket is closed without a word while nobody reads from it.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_while_we_do_not_read_is_noticed() {
    let mut rig = rig(patient()).await;
    rig.inbound.set(|seen| seen.full = true);
    rig.client.send(send("4parked")).await.unwrap();
    let start = Instant::now();
    drop(rig.client);
    rig.task.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(51));
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportError));
}

/// A handler that never ends keeps itself, and neither the connection nor the place in the registry.
#[tokio::test]
async fn a_connection_is_let_go_before_its_handlers_have_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stream, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let engine = Arc::new(Engine::new());
    let inbound = Recorder::default();
    inbound.set(|seen| seen.busy = true);
    let pipe = tcp_pipe(accepted.unwrap().0);
    let task = tokio::spawn(
        engine.connect(engine.reserve(), Revision::V4, pipe, &[], |_| {
            inbound.clone()
        }),
    );
    let mut client = WebSocketStream::from_raw_socket(stream.unwrap(), Role::Client, None).await;
    client.close(None).await.unwrap();
    // The end of the stream, and not only the answer to the close frame.
    while client.next().await.is_some() {}
    assert_eq!(engine.connections(), 0);
    assert!(!task.is_finished(), "a handler is still running");
    inbound.set(|seen| seen.busy = false);
    task.await.unwrap();
}

#[tokio::test]
async fn broken_rules_end_the_connection_with_their_reason() {
    use DisconnectReason::{ForcedClose, ParseError, TransportClose, TransportError};
    let cases = [
        (send("2"), TransportError),
        (send("2probe"), TransportError),
        (send("1"), TransportClose),
        (send(""), ParseError),
        (send("7"), ParseError),
        (send("x"), ParseError),
        (send("4violate"), ForcedClose),
    ];
    for (frame, reason) in cases {
        let mut rig = rig(patient()).await;
        rig.client.send(frame.clone()).await.unwrap();
        rig.client.send(send("4too late")).await.unwrap();
        assert_eq!(close_frame(&mut rig.client).await, None, "{frame:?}");
        assert!(rig.client.next().await.is_none(), "{frame:?}");
        rig.task.await.unwrap();
        assert_eq!(rig.inbound.closed(), Some(reason), "{frame:?}");
        assert!(rig.inbound.messages().is_empty(), "{frame:?}");
    }
}

#[tokio::test]
async fn packets_that_mean_nothing_are_passed_over() {
    let mut rig = rig(patient()).await;
    for packet in ["0{}", "5", "6", "3", "3", "bAQI=", "4end"] {
        rig.client.send(send(packet)).await.unwrap();
    }
    rig.client.close(None).await.unwrap();
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages(), ["[1, 2]", "end"]);
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_1009() {
    let mut config = patient();
    config.limits.max_payload = 1_000;
    let mut rig = rig(config).await;
    let largest = format!("4{}", "x".repeat(999));
    rig.client.send(send(&largest)).await.unwrap();
    // The server need not read all of it.
    let _ = rig.client.send(send(&format!("{largest}x"))).await;
    let frame = close_frame(&mut rig.client).await.expect("a status code");
    assert_eq!(frame.code, CloseCode::Size);
    drop(rig.client);
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.messages().len(), 1);
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::TransportError));
}

#[tokio::test]
async fn bytes_that_are_no_frames_end_the_connection() {
    let (ours, mut theirs) = duplex(1024);
    let engine = Arc::new(Engine::new());
    let inbound = Recorder::default();
    let task = tokio::spawn(engine.connect(
        engine.reserve(),
        Revision::V4,
        stream_pipe(ours),
        &[],
        |_| inbound.clone(),
    ));
    // Reserved bits in the very first frame.
    theirs.write_all(&[0xf1, 0x80, 0, 0, 0, 0]).await.unwrap();
    theirs.write_all(&[0xff; 100]).await.unwrap();
    theirs.shutdown().await.unwrap();
    task.await.unwrap();
    assert_eq!(inbound.closed(), Some(DisconnectReason::TransportError));
}

#[tokio::test]
async fn what_was_read_with_the_request_is_not_lost() {
    let (ours, theirs) = duplex(1024);
    let engine = Arc::new(Engine::new());
    let inbound = Recorder::default();
    // "4early", masked with zeros.
    let early = b"\x81\x86\0\0\0\x004early";
    let task = tokio::spawn(engine.connect(
        engine.reserve(),
        Revision::V4,
        stream_pipe(ours),
        early,
        |_| inbound.clone(),
    ));
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    client.send(send("4late")).await.unwrap();
    client.close(None).await.unwrap();
    task.await.unwrap();
    assert_eq!(inbound.messages(), ["early", "late"]);
}

#[tokio::test]
async fn the_server_says_goodbye_after_what_is_queued() {
    let mut rig = rig(patient()).await;
    for n in 0..300 {
        push(&rig, &text_frame(&format!("4{n}")));
    }
    rig.engine.close(CloseCause::ShuttingDown);
    assert_eq!(push(&rig, &text_frame("4late")), Pushed::Refused);
    for n in 0..300 {
        assert_eq!(text(&mut rig.client).await, format!("4{n}"));
    }
    assert_eq!(close_frame(&mut rig.client).await, None);
    // tungstenite answers when it is asked for the next frame.
    assert!(rig.client.next().await.is_none());
    rig.task.await.unwrap();
    assert_eq!(
        rig.inbound.closed(),
        Some(DisconnectReason::ServerShuttingDown)
    );
}

#[tokio::test]
async fn no_ping_is_answered_after_the_goodbye() {
    let rig = rig(patient()).await;
    rig.mailbox.close(CloseCause::ShuttingDown);
    rig.mailbox.flush();
    // Read before the client has answered the close frame.
    rig.mailbox.answer_ping(b"too late");
    rig.mailbox.flush();
    let mut stream = rig.client.into_inner();
    let mut frame = [0; 2];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[0], 0x88, "a close frame");
    let mut status = vec![0; usize::from(frame[1])];
    stream.read_exact(&mut status).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_keep_up_is_cut_off_without_a_gap() {
    let mut config = patient();
    config.max_queued_packets = 100;
    let mut rig = rig_with_buffer(config, 256).await;
    let mut queued = 0;
    while push(&rig, &text_frame(&format!("4{queued}"))) != Pushed::Refused {
        queued += 1;
        assert!(queued < 1_000, "the queue has no end");
    }
    // What it gets is the beginning of what was sent, and the end of the connection: never something later.
    let mut received = 0;
    loop {
        match rig.client.next().await {
            Some(Ok(Frame::Text(text))) => {
                assert_eq!(text.as_str(), format!("4{received}"));
                received += 1;
            }
            Some(Ok(Frame::Close(_))) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(received < queued, "{received} of {queued}");
    assert!(rig.client.next().await.is_none());
    rig.task.await.unwrap();
    assert_eq!(rig.inbound.closed(), Some(DisconnectReason::SlowClient));
}

#[tokio::test]
async fn a_loop_of_emits_needs_no_yield_to_be_sent() {
    // The current thread runtime runs no flusher while this loop does not yield.
    let mut rig = rig_with_buffer(patient(), 16 * 1024 * 1024).await;
    let packet = text_frame(&format!("4{}", "x".repeat(1024)));
    for n in 0..10_000 {
        assert_ne!(push(&rig, &packet), Pushed::Refused, "{n}");
    }
    for _ in 0..10_000 {
        text(&mut rig.client).await;
    }
}

/// Many small packets, or few large ones: whoever pushes one more writes those before.
#[tokio::test]
async fn a_loop_of_emits_fills_the_clients_socket_and_not_our_memory() {
    for (length, waiting) in [(8, 256), (64 * 1024, 2)] {
        let rig = rig_with_buffer(patient(), 16 * 1024 * 1024).await;
        let packet = text_frame(&format!("4{}", "x".repeat(length)));
        for _ in 0..waiting {
            push(&rig, &packet);
        }
        assert_eq!(rig.mailbox.depth().0, waiting, "{length} bytes");
        push(&rig, &packet);
        assert_eq!(rig.mailbox.depth().0, 1, "{length} bytes");
    }
}

#[tokio::test]
async fn volatile_packets_are_dropped_only_where_the_client_is_stuck() {
    let mut rig = rig_with_buffer(patient(), 512).await;
    let packet = text_frame("4x").into();
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Marked);
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Queued);
    rig.mailbox.flush();
    rig.mailbox
        .push(&text_frame(&"4".repeat(1_000)).into(), false);
    rig.mailbox.flush();
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Dropped);
    for _ in 0..3 {
        text(&mut rig.client).await;
    }
}

#[tokio::test]
async fn a_volatile_packet_that_finds_the_queue_full_costs_nobody_the_connection() {
    let mut config = patient();
    config.max_queued_packets = 4;
    let mut rig = rig_with_buffer(config, 512).await;
    let packet = text_frame(&format!("4{}", "x".repeat(1_000))).into();
    // Nothing was written yet, so nobody knows that this client is stuck.
    for _ in 0..4 {
        assert_ne!(rig.mailbox.push(&packet, false), Pushed::Refused);
    }
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Dropped);
    for _ in 0..4 {
        text(&mut rig.client).await;
    }
    assert_eq!(push(&rig, &text_frame("4after")), Pushed::Marked);
    assert_eq!(text(&mut rig.client).await, "4after");
}

#[tokio::test]
async fn pings_of_the_websocket_are_answered_and_never_pile_up() {
    let mut rig = rig_with_buffer(patient(), 4 * 1024 * 1024).await;
    for n in 0..10_000_u32 {
        let ping = Frame::Ping(n.to_be_bytes().to_vec().into());
        rig.client.feed(ping).await.unwrap();
    }
    rig.client.flush().await.unwrap();
    let mut pongs = 0;
    loop {
        match rig.client.next().await.unwrap().unwrap() {
            Frame::Pong(payload) => {
                pongs += 1;
                if payload[..] == 9_999_u32.to_be_bytes() {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(pongs < 1_000, "the latest of a burst is answered: {pongs}");
}

#[tokio::test]
async fn a_packet_and_its_attachments_stay_together() {
    let mut rig = rig_with_buffer(patient(), 64).await;
    let mut packet = text_frame("451-[\"b\"]").to_vec();
    packet.extend_from_slice(&binary_frame(&[7; 300]));
    let packet = Bytes::from(packet);
    for _ in 0..50 {
        push(&rig, &packet);
        rig.mailbox.answer_ping(b"now");
    }
    for _ in 0..50 {
        let mut next = rig.client.next().await.unwrap().unwrap();
        while matches!(next, Frame::Pong(_)) {
            next = rig.client.next().await.unwrap().unwrap();
        }
        assert!(matches!(next, Frame::Text(_)), "{next:?}");
        let attachment = rig.client.next().await.unwrap().unwrap();
        assert_eq!(attachment, Frame::binary(vec![7; 300]));
    }
}

#[tokio::test]
async fn what_runs_at_the_end_is_waited_for() {
    let mut rig = rig(patient()).await;
    rig.inbound.set(|seen| seen.busy = true);
    rig.client.close(None).await.unwrap();
    while rig.client.next().await.is_some() {}
    assert!(!rig.task.is_finished(), "a handler is still running");
    rig.inbound.set(|seen| seen.busy = false);
    rig.task.await.unwrap();
}

#[tokio::test]
async fn a_dropped_task_lets_the_pipe_go() {
    let mut rig = rig(patient()).await;
    rig.task.abort();
    assert!(
        rig.client.next().await.unwrap().is_err(),
        "reset without a goodbye"
    );
    assert_eq!(push(&rig, &text_frame("4x")), Pushed::Refused);
    assert_eq!(rig.engine.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broadcasts_from_many_threads_reach_every_mailbox_whole() {
    const CLIENTS: usize = 200;
    const SENDERS: usize = 4;
    const EACH: usize = 100;
    let engine = Arc::new(Engine::new());
    let mut mailboxes: Vec<Arc<Mailbox>> = Vec::new();
    let mut clients = VecDeque::new();
    for _ in 0..CLIENTS {
        let (ours, theirs) = duplex(1024);
        let connection = engine.connect(
            engine.reserve(),
            Revision::V4,
            stream_pipe(ours),
            &[],
            |mailbox| {
                mailboxes.push(mailbox.clone());
                Recorder::default()
            },
        );
        tokio::spawn(connection);
        clients.push_back(tokio::spawn(async move {
            let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
            text(&mut client).await;
            let mut next = [0; SENDERS];
            for _ in 0..SENDERS * EACH {
                let text = text(&mut client).await;
                let (sender, n) = text[1..].split_once(' ').unwrap();
                let next: &mut usize = &mut next[sender.parse::<usize>().unwrap()];
                assert_eq!(n.parse::<usize>().unwrap(), *next, "in order of its sender");
                *next += 1;
            }
        }));
    }
    let mailboxes = Arc::new(mailboxes);
    for sender in 0..SENDERS {
        let (engine, mailboxes) = (engine.clone(), mailboxes.clone());
        tokio::spawn(async move {
            for n in 0..EACH {
                let packet = text_frame(&format!("4{sender} {n}")).into();
                let mut batch = Batch::new(engine.flusher());
                for mailbox in mailboxes.iter() {
                    mailbox.send(&packet, &mut batch);
                }
                drop(batch);
                tokio::task::yield_now().await;
            }
        });
    }
    for client in clients {
        client.await.unwrap();
    }
}

#[test]
fn a_client_that_does_not_poll_pays_nothing_for_those_that_do() {
    assert!(size_of::<Mailbox>() <= 248);
}

#[tokio::test]
async fn an_id_has_one_owner_at_a_time() {
    let engine = Arc::new(Engine::new());
    let promised = engine.reserve_id("anna").expect("nobody has it");
    assert_eq!(engine.reserve_id("anna").err(), Some(BadId::Taken));
    assert_eq!(engine.reserve_id("").err(), Some(BadId::Odd));
    // No connection goes by it yet.
    assert!(engine.session("anna").is_none());
    assert_eq!(engine.connections(), 0);

    drop(promised);
    let again = engine.reserve_id("anna").expect("it was given up");
    let (connection, open) = engine.connect_polling(again, Form::V4, &[], |_| Recorder::default());
    let open = str::from_utf8(&open.bytes).unwrap();
    assert!(open.starts_with(r#"0{"sid":"anna","#), "{open}");
    assert!(engine.session("anna").is_some());
    assert_eq!(engine.connections(), 1);
    assert_eq!(engine.reserve_id("anna").err(), Some(BadId::Taken));

    drop(connection);
    assert_eq!(engine.connections(), 0);
    assert!(engine.reserve_id("anna").is_ok());
}

#[tokio::test]
async fn a_handshake_that_the_end_of_the_server_overtakes_is_closed() {
    let (ours, theirs) = duplex(1024);
    let engine = Arc::new(Engine::new());
    let inbound = Recorder::default();
    let promised = engine.reserve();
    engine.close(CloseCause::ShuttingDown);
    let connection = engine.connect(promised, Revision::V4, stream_pipe(ours), &[], |_| {
        inbound.clone()
    });
    let task = tokio::spawn(connection);
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    assert!(text(&mut client).await.starts_with("0{"));
    client.close(None).await.ok();
    while let Some(Ok(_)) = client.next().await {}
    task.await.unwrap();
    assert_eq!(inbound.closed(), Some(DisconnectReason::ServerShuttingDown));
}
