//! Connections over a duplex in memory, with a handler that notes what it is called for.

use super::*;
use crate::session::DisconnectReason;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::{
    io::{DuplexStream, duplex},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message as Frame, protocol::Role},
};

/// What a handler was called for, in order.
#[derive(Debug, PartialEq)]
enum Seen {
    Open,
    Message(Message),
    /// A message that was waited over is handled.
    Handled(Message),
    Close(DisconnectReason),
}

struct Recorder {
    seen: mpsc::UnboundedSender<Seen>,
    sockets: mpsc::UnboundedSender<EngineSocket>,
    /// What `open` and the message `wait` wait for.
    gate: Arc<Semaphore>,
}

impl Recorder {
    async fn wait(&self) {
        let pass = self.gate.acquire().await.expect("an open gate");
        pass.forget();
    }

    fn note(&self, seen: Seen) {
        self.seen.send(seen).ok();
    }
}

impl Handler for Recorder {
    async fn open(&self, socket: &EngineSocket) {
        self.wait().await;
        self.sockets.send(socket.clone()).ok();
        self.note(Seen::Open);
    }

    async fn message(&self, socket: &EngineSocket, message: Message) {
        self.note(Seen::Message(message.clone()));
        match &message {
            Message::Text(text) if text == "panic" => panic!("as it was asked to"),
            Message::Text(text) if text == "wait" => {
                self.wait().await;
                self.note(Seen::Handled(message));
            }
            Message::Text(text) if text == "close" => {
                socket.send("last").expect("an open connection");
                socket.close();
                assert_eq!(socket.send("too late"), Err(Closed));
            }
            _ => socket.send(message).expect("an open connection"),
        }
    }

    async fn close(&self, socket: &EngineSocket, reason: DisconnectReason) {
        assert!(!socket.is_open());
        assert_eq!(socket.send("too late"), Err(Closed));
        self.note(Seen::Close(reason));
    }
}

struct Rig {
    layer: EngineLayer<Recorder>,
    seen: mpsc::UnboundedReceiver<Seen>,
    sockets: mpsc::UnboundedReceiver<EngineSocket>,
    gate: Arc<Semaphore>,
}

struct Client {
    stream: WebSocketStream<DuplexStream>,
    sid: String,
    task: JoinHandle<()>,
}

/// A server whose `open` does not wait for the first few clients.
fn rig() -> Rig {
    let (seen_sender, seen) = mpsc::unbounded_channel();
    let (sockets_sender, sockets) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(1));
    let layer = EngineLayer::new(Recorder {
        seen: seen_sender,
        sockets: sockets_sender,
        gate: gate.clone(),
    });
    Rig {
        layer,
        seen,
        sockets,
        gate,
    }
}

impl Rig {
    async fn visit(&self) -> Client {
        let (ours, theirs) = duplex(64 * 1024);
        let request = http::Request::get("/engine.io/?x=1")
            .header("x-mark", "7")
            .body(())
            .expect("a request");
        let task = tokio::spawn(self.layer.accept(&request, ours));
        let mut stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let open = stream.next().await.expect("a frame").expect("a frame");
        let open = open.into_text().expect("a text").to_string();
        assert!(open.starts_with("0{\"sid\":\""), "{open}");
        let sid = open.split('"').nth(3).expect("an open packet").to_owned();
        Client { stream, sid, task }
    }

    async fn seen(&mut self) -> Seen {
        let seen = timeout(Duration::from_secs(60), self.seen.recv()).await;
        seen.expect("a call in time").expect("the layer lives")
    }
}

impl Client {
    async fn send(&mut self, frame: impl Into<Frame>) {
        let sent = self.stream.send(frame.into()).await;
        sent.expect("an open connection");
    }

    /// Goes away without a word, and waits until the server has seen it.
    async fn gone(self) {
        drop(self.stream);
        self.task.await.expect("a connection that ends");
    }

    async fn next(&mut self) -> Frame {
        self.stream.next().await.expect("a frame").expect("a frame")
    }
}

fn text(text: &str) -> Seen {
    Seen::Message(text.into())
}

#[tokio::test]
async fn messages_travel_both_ways() {
    let mut rig = rig();
    let mut client = rig.visit().await;
    assert_eq!(rig.seen().await, Seen::Open);
    let socket = rig.sockets.recv().await.expect("the client's");
    assert_eq!(socket.id(), client.sid);
    assert_eq!(socket.transport(), Some(Transport::WebSocket));
    assert_eq!(socket.handshake().query(), "x=1");
    assert_eq!(socket.handshake().header("x-mark"), Some(&b"7"[..]));
    assert!(!format!("{socket:?}").contains(&client.sid));

    for message in ["", "a", "2", "\u{1F600}\n", "42[\"x\"]"] {
        client.send(format!("4{message}")).await;
        assert_eq!(rig.seen().await, text(message));
        assert_eq!(client.next().await, Frame::text(format!("4{message}")));
    }
    for message in [vec![], vec![4], vec![0; 70_000]] {
        client.send(message.clone()).await;
        assert_eq!(rig.seen().await, Seen::Message(message.clone().into()));
        assert_eq!(client.next().await, Frame::binary(message));
    }
    // Nobody but the handler decides when something is sent.
    socket.send("unasked").expect("an open connection");
    assert_eq!(client.next().await, Frame::text("4unasked"));
    assert_eq!(rig.layer.connections(), 1);
}

#[tokio::test]
async fn one_call_ends_before_the_next() {
    let mut rig = rig();
    rig.gate.forget_permits(1);
    let mut client = rig.visit().await;
    client.send("4wait").await;
    client.send("4next").await;
    client.stream.close(None).await.expect("an open connection");
    tokio::task::yield_now().await;
    assert!(rig.seen.try_recv().is_err(), "`open` has not ended");
    rig.gate.add_permits(1);
    assert_eq!(rig.seen().await, Seen::Open);
    assert_eq!(rig.seen().await, text("wait"));
    tokio::task::yield_now().await;
    assert!(rig.seen.try_recv().is_err(), "the message is not handled");
    rig.gate.add_permits(1);
    assert_eq!(rig.seen().await, Seen::Handled("wait".into()));
    assert_eq!(rig.seen().await, text("next"));
    assert_eq!(
        rig.seen().await,
        Seen::Close(DisconnectReason::TransportClose)
    );
    client.task.await.expect("a connection that ends");
}

#[tokio::test]
async fn a_panic_is_the_end_of_one_call() {
    let mut rig = rig();
    let mut client = rig.visit().await;
    client.send("4panic").await;
    client.send("4still here").await;
    assert_eq!(client.next().await, Frame::text("4still here"));
    for expected in [Seen::Open, text("panic"), text("still here")] {
        assert_eq!(rig.seen().await, expected);
    }
}

#[tokio::test]
async fn each_side_may_end_a_connection() {
    let mut rig = rig();
    rig.gate.add_permits(10);
    // The server, after what it has sent.
    let mut client = rig.visit().await;
    client.send("4close").await;
    assert_eq!(client.next().await, Frame::text("4last"));
    assert_eq!(client.next().await, Frame::Close(None));
    for expected in [
        Seen::Open,
        text("close"),
        Seen::Close(DisconnectReason::ForcedServerClose),
    ] {
        assert_eq!(rig.seen().await, expected);
    }
    client.gone().await;

    // The client: with a close packet, with a broken rule, and by going away.
    for (packet, reason) in [
        ("1", DisconnectReason::TransportClose),
        ("2", DisconnectReason::TransportError),
        ("x", DisconnectReason::ParseError),
    ] {
        let mut client = rig.visit().await;
        client.send(packet).await;
        assert_eq!(rig.seen().await, Seen::Open);
        assert_eq!(rig.seen().await, Seen::Close(reason), "{packet}");
        client.gone().await;
    }
    rig.visit().await.gone().await;
    assert_eq!(rig.seen().await, Seen::Open);
    assert_eq!(
        rig.seen().await,
        Seen::Close(DisconnectReason::TransportClose)
    );

    // All of them together.
    let client = rig.visit().await;
    assert_eq!(rig.seen().await, Seen::Open);
    rig.layer.close();
    assert_eq!(
        rig.seen().await,
        Seen::Close(DisconnectReason::ServerShuttingDown)
    );
    client.gone().await;
    assert_eq!(rig.layer.connections(), 0);
}

/// There are no namespaces to join in time; and a client that answers no ping is gone.
#[tokio::test(start_paused = true)]
async fn a_connection_lasts_as_long_as_its_heartbeat() {
    let mut rig = rig();
    let mut client = rig.visit().await;
    assert_eq!(rig.seen().await, Seen::Open);
    let begun = tokio::time::Instant::now();
    for _ in 0..4 {
        assert_eq!(client.next().await, Frame::text("2"));
        client.send("3").await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(100));
    assert_eq!(client.next().await, Frame::text("2"));
    assert_eq!(rig.seen().await, Seen::Close(DisconnectReason::PingTimeout));
}

#[tokio::test]
async fn a_client_that_does_not_keep_up_is_closed() {
    let (ours, _theirs) = duplex(1_000);
    let (sender, mut seen) = mpsc::unbounded_channel();

    struct Talker(mpsc::UnboundedSender<DisconnectReason>);

    impl Handler for Talker {
        async fn open(&self, socket: &EngineSocket) {
            let sent = (0..10).take_while(|_| socket.send("x".repeat(500)).is_ok());
            assert!((4..8).contains(&sent.count()));
        }

        async fn message(&self, _: &EngineSocket, _: Message) {}

        async fn close(&self, _: &EngineSocket, reason: DisconnectReason) {
            self.0.send(reason).ok();
        }
    }

    let config = EngineConfig {
        max_queued_packets: 5,
        ..EngineConfig::default()
    };
    let layer = EngineLayer::with_config(Talker(sender), HttpConfig::default(), config);
    let layer = layer.expect("settings that work");
    tokio::spawn(layer.accept(&http::Request::new(()), ours));
    assert_eq!(seen.recv().await, Some(DisconnectReason::SlowClient));
}

#[test]
fn settings_that_can_not_work_are_an_error() {
    struct Nothing;

    impl Handler for Nothing {
        async fn message(&self, _: &EngineSocket, _: Message) {}
    }

    let zero = EngineConfig {
        ping_timeout: Duration::ZERO,
        ..EngineConfig::default()
    };
    for (http, engine, words) in [
        (HttpConfig::default(), zero, "`ping_timeout`"),
        (
            HttpConfig::default().path("live"),
            EngineConfig::default(),
            "`path`",
        ),
    ] {
        let made = EngineLayer::with_config(Nothing, http, engine);
        let error = made.expect_err("a problem").to_string();
        assert!(error.contains(words), "{error}");
    }
}
