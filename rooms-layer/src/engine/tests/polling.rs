//! Sessions that poll, by their requests alone: no HTTP, and a paused clock.

use super::{Recorder, patient};
use crate::{
    engine::{
        Batch, Body, Engine, EngineConfig, Form, Get, Mailbox, Post, Pushed, Rejected, Session, Via,
    },
    session::{CloseCause, DisconnectReason},
    wire::websocket::{binary_frame, text_frame},
};
use bytes::Bytes;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// A session, and the client's side of it.
pub(super) struct Rig {
    pub(super) engine: Arc<Engine>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) inbound: Recorder,
    pub(super) task: JoinHandle<()>,
    pub(super) sid: String,
}

pub(super) fn rig(config: EngineConfig) -> Rig {
    let engine = Arc::new(Engine::new());
    assert!(engine.configure(config));
    rig_on(engine)
}

pub(super) fn rig_on(engine: Arc<Engine>) -> Rig {
    rig_of(Form::V4, engine)
}

pub(super) fn rig_of(form: Form, engine: Arc<Engine>) -> Rig {
    let inbound = Recorder::default();
    let (connection, open) =
        engine.connect_polling(engine.reserve(), form, &["websocket"], |_| inbound.clone());
    let open = text(open).replace('\\', "");
    let (_, sid) = open.split_once(r#""sid":""#).expect("an open packet");
    let sid = sid.split_once('"').expect("an id").0.to_owned();
    assert!(open.contains(r#""upgrades":["websocket"]"#), "{open}");
    Rig {
        mailbox: connection.mailbox().clone(),
        task: tokio::spawn(connection),
        engine,
        inbound,
        sid,
    }
}

impl Rig {
    pub(super) fn session(&self) -> Option<Session> {
        self.engine.session(&self.sid)
    }

    /// A GET, polled once, as an HTTP server does before it waits.
    pub(super) fn get(&self) -> Getting {
        let session = self.session().expect("an open session");
        let mut get = session.get().expect("the only GET");
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut get).poll(&mut cx) {
            Poll::Ready(body) => Getting::Answered(body),
            Poll::Pending => Getting::Waits(get),
        }
    }

    pub(super) fn post(&self) -> Post {
        let session = self.session().expect("an open session");
        session.post().expect("the only POST")
    }

    /// Sends a body, and says whether it was well received.
    pub(super) async fn push(&self, body: impl Into<Vec<u8>>) -> bool {
        let post = self.post();
        post.hand_in(body.into(), false);
        poll_fn(|cx| post.poll_taken(cx)).await
    }

    pub(super) fn emit(&self, packet: &Bytes) -> Pushed {
        let mut batch = Batch::new(self.engine.flusher());
        self.mailbox.send(&packet.clone().into(), &mut batch)
    }

    fn emit_text(&self, text: &str) {
        assert_ne!(self.emit(&text_frame(text)), Pushed::Refused, "{text}");
    }

    /// The session is over, for that reason, and its id is forgotten.
    pub(super) async fn ended(self, reason: DisconnectReason) -> Recorder {
        self.task.await.expect("no panic");
        assert!(self.engine.session(&self.sid).is_none());
        assert_eq!(self.inbound.closed(), Some(reason));
        assert_eq!(self.engine.connections(), 0);
        self.inbound
    }
}

pub(super) fn text(body: Body) -> String {
    String::from_utf8(body.bytes.into()).expect("a body of text")
}

pub(super) enum Getting {
    Answered(Body),
    Waits(Get),
}

impl Getting {
    pub(super) async fn body(self) -> String {
        text(self.answer().await)
    }

    pub(super) async fn answer(self) -> Body {
        match self {
            Self::Answered(body) => body,
            Self::Waits(get) => get.await,
        }
    }
}

#[tokio::test]
async fn packets_leave_in_order() {
    let rig = rig(patient());
    let mut attached = text_frame("451-[\"b\"]").to_vec();
    attached.extend_from_slice(&binary_frame(&[1, 2, 3, 4]));
    for packet in [text_frame("4first"), attached.into(), text_frame("4last")] {
        rig.emit(&packet);
    }
    let session = rig.session().unwrap();
    let body = text(session.get().unwrap().await);
    assert_eq!(body, "4first\x1e451-[\"b\"]\x1ebAQIDBA==\x1e4last");
    // A GET that has to wait gets what comes, and what comes between two of them waits in turn.
    let mut expected = 0;
    let emitter = async {
        for n in 0..1_000 {
            rig.emit_text(&format!("4{n}"));
            if n % 7 == 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let reader = async {
        while expected < 1_000 {
            let get = rig.session().unwrap().get().unwrap();
            for packet in text(get.await).split('\x1e') {
                assert_eq!(packet, format!("4{expected}"));
                expected += 1;
            }
        }
    };
    tokio::join!(reader, emitter);
}

#[tokio::test]
async fn packets_of_a_body_arrive_in_order_before_it_is_answered() {
    let rig = rig(patient());
    assert!(rig.push("4a\x1ebAQI=\x1e3\x1e0\x1e5\x1e6\x1e4é").await);
    assert_eq!(rig.inbound.messages(), ["a", "[1, 2]", "é"]);
    let many: Vec<_> = (0..20_000).map(|n| format!("4{n}")).collect();
    assert!(rig.push(many.join("\x1e")).await);
    let messages = rig.inbound.messages();
    assert_eq!(messages.len(), 20_003);
    assert_eq!(messages.last().unwrap(), "19999");
}

#[tokio::test(start_paused = true)]
async fn a_post_waits_for_room_and_its_client_is_not_timed_out() {
    let rig = rig(patient());
    rig.inbound.set(|seen| seen.full = true);
    let post = rig.post();
    post.hand_in(b"4parked\x1e3".to_vec(), false);
    let taken = || post.poll_taken(&mut Context::from_waker(Waker::noop()));
    assert!(taken().is_pending());
    let get = rig.get();
    assert_eq!(get.body().await, "2");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(rig.inbound.closed(), None);
    assert!(taken().is_pending());
    rig.inbound.set(|seen| seen.full = false);
    assert!(poll_fn(|cx| post.poll_taken(cx)).await);
    assert_eq!(rig.inbound.messages(), ["parked"]);
}

#[tokio::test]
async fn bodies_that_break_the_rules_end_the_session() {
    use DisconnectReason::{ForcedClose, ParseError, TransportClose, TransportError};
    let cases: [(&[u8], bool, &str, DisconnectReason); 11] = [
        (b"4ok\x1eabc", false, "1", ParseError),
        (b"4ok\x1e7\x1e4late", false, "1", ParseError),
        (b"4ok\x1e", false, "1", ParseError),
        (b"4ok\x1e4\xff", false, "1", ParseError),
        (b"4ok\x1eb?", false, "1", ParseError),
        (b"4ok\x1e2", false, "1", TransportError),
        (b"4ok\x1e2probe\x1e4late", false, "1", TransportError),
        (b"4ok\x1e4violate\x1e4late", false, "1", ForcedClose),
        // As on Node: a client that has said goodbye gets nothing but a release.
        (b"4ok\x1e1", true, "6", TransportClose),
        (b"4ok\x1e1\x1e4late", true, "6", TransportClose),
        (b"4ok\x1e12:4x", true, "6", TransportClose),
    ];
    for (body, received, released, reason) in cases {
        for waiting in [true, false] {
            let rig = rig(patient());
            let get = waiting.then(|| rig.get());
            assert_eq!(rig.push(body).await, received, "{body:?}");
            if let Some(get) = get {
                assert_eq!(get.body().await, released, "{body:?}");
            }
            assert_eq!(rig.ended(reason).await.messages(), ["ok"], "{body:?}");
        }
    }
    let rig = rig(patient());
    assert!(!rig.push("").await);
    rig.ended(ParseError).await;
}

#[tokio::test]
async fn a_body_of_nothing_costs_little() {
    for (packet, reason) in [
        ("1:2\x1e", DisconnectReason::TransportClose),
        ("\x1e", DisconnectReason::ParseError),
        ("6\x1e", DisconnectReason::ParseError),
    ] {
        let mut config = patient();
        config.limits.max_packets_per_post = usize::MAX;
        let rig = rig(config);
        rig.push(packet.repeat(1_000_000 / packet.len())).await;
        rig.ended(reason).await;
    }
}

#[tokio::test]
async fn a_body_of_too_many_packets_is_refused_whole() {
    let mut config = patient();
    config.limits.max_packets_per_post = 3;
    let rig = rig(config);
    assert!(rig.push("4a\x1e4b\x1e4c").await);
    assert!(!rig.push("4d\x1e4e\x1e4f\x1e4g").await);
    let inbound = rig.ended(DisconnectReason::TransportError).await;
    assert_eq!(inbound.messages(), ["a", "b", "c"]);
}

#[tokio::test]
async fn two_requests_of_a_kind_end_the_session() {
    let first = rig(patient());
    let get = first.get();
    let second = first.session().unwrap().get();
    assert_eq!(second.err(), Some(Rejected::Overlap));
    assert_eq!(get.body().await, "1");
    first.ended(DisconnectReason::TransportError).await;

    let second = rig(patient());
    let get = second.get();
    let post = second.post();
    let overlap = second.session().unwrap().post();
    assert_eq!(overlap.err(), Some(Rejected::Overlap));
    assert!(!poll_fn(|cx| post.poll_taken(cx)).await);
    assert_eq!(get.body().await, "1");
    second.ended(DisconnectReason::TransportError).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_the_session() {
    let with_get = rig(patient());
    drop(with_get.get());
    with_get.ended(DisconnectReason::TransportError).await;

    for handed_in in [false, true] {
        let with_post = rig(patient());
        let get = with_post.get();
        with_post.inbound.set(|seen| seen.full = true);
        let post = with_post.post();
        if handed_in {
            post.hand_in(b"4x".to_vec(), false);
        }
        tokio::task::yield_now().await;
        drop(post);
        assert_eq!(get.body().await, "1");
        with_post.ended(DisconnectReason::TransportError).await;
    }

    let forgone = rig(patient());
    forgone.post().forgo();
    assert!(forgone.push("4still here").await);
    assert_eq!(forgone.inbound.closed(), None);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_go_over_polls() {
    let rig = rig(patient());
    let start = Instant::now();
    for round in 1..=3 {
        assert_eq!(rig.get().body().await, "2");
        let late = start.elapsed() - Duration::from_secs(25) * round;
        assert!(late < Duration::from_millis(50), "{late:?} late");
        assert!(rig.push("3").await);
    }
    // It polls on, and answers no more.
    assert_eq!(rig.get().body().await, "2");
    let asked = Instant::now();
    assert_eq!(rig.get().body().await, "1");
    assert!(asked.elapsed() >= Duration::from_secs(20));
    rig.ended(DisconnectReason::PingTimeout).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_polls_is_given_up() {
    let rig = rig(patient());
    let start = Instant::now();
    for _ in 0..100 {
        rig.emit_text("4unheard");
    }
    rig.ended(DisconnectReason::PingTimeout).await;
    let waited = start.elapsed();
    assert!(waited >= Duration::from_secs(45), "{waited:?}");
    assert!(waited < Duration::from_secs(46), "{waited:?}");
}

#[tokio::test]
async fn a_client_that_never_polls_is_bounded() {
    for by_bytes in [false, true] {
        let mut config = patient();
        match by_bytes {
            true => config.max_queued_bytes = 1_000,
            false => config.max_queued_packets = 100,
        }
        let rig = rig(config);
        let mut queued = 0;
        while rig.emit(&text_frame("4unheard")) != Pushed::Refused {
            queued += 1;
            assert!(queued <= 100, "the queue has no end");
        }
        rig.ended(DisconnectReason::SlowClient).await;
    }
}

#[tokio::test]
async fn volatile_packets_need_a_get_that_waits() {
    let rig = rig(patient());
    let packet = text_frame("4x").into();
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Dropped);
    let get = rig.get();
    assert_ne!(rig.mailbox.push(&packet, true), Pushed::Dropped);
    assert_eq!(get.body().await, "4x");
    assert_eq!(rig.mailbox.push(&packet, true), Pushed::Dropped);
}

#[tokio::test(start_paused = true)]
async fn the_server_says_goodbye() {
    let reason = DisconnectReason::ServerShuttingDown;
    let waiting = rig(patient());
    let get = waiting.get();
    waiting.engine.close(CloseCause::ShuttingDown);
    assert_eq!(get.body().await, "1");
    waiting.ended(reason).await;

    // Between two polls: what is queued is still fetched, and what the client sends is still well received.
    let between = rig(patient());
    between.emit_text("4last words");
    between.engine.close(CloseCause::ShuttingDown);
    tokio::task::yield_now().await;
    assert!(between.push("4unheard").await);
    assert_eq!(between.get().body().await, "4last words\x1e1");
    assert!(between.ended(reason).await.messages().is_empty());

    let silent = rig(patient());
    let start = Instant::now();
    silent.engine.close(CloseCause::ShuttingDown);
    silent.ended(reason).await;
    assert!(start.elapsed() >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_closed_server_opens_no_session() {
    let engine = Arc::new(Engine::new());
    engine.close(CloseCause::ShuttingDown);
    let rig = rig_on(engine);
    assert!(
        rig.session().is_none(),
        "the first answer was the goodbye too"
    );
    rig.ended(DisconnectReason::ServerShuttingDown).await;
}

#[tokio::test]
async fn a_dropped_task_lets_its_requests_go() {
    let rig = rig(patient());
    let get = rig.get();
    let post = rig.post();
    rig.task.abort();
    assert_eq!(get.body().await, "1");
    poll_fn(|cx| post.poll_taken(cx)).await;
    assert!(rig.session().is_none());
    assert_eq!(rig.emit(&text_frame("4x")), Pushed::Refused);
}

#[tokio::test]
async fn only_the_secret_finds_a_session() {
    let rig = rig(patient());
    assert_eq!(rig.session().unwrap().via(), Via::Polling);
    let mut guess = rig.sid.clone().into_bytes();
    guess[0] ^= 1;
    let guess = String::from_utf8_lossy(&guess).into_owned();
    for sid in ["", "x", &rig.sid[1..], &guess, &format!("{} ", rig.sid)] {
        assert!(rig.engine.session(sid).is_none(), "{sid:?}");
    }
}
