//! What threads do to one another, in one interleaving after the other:
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p rooms-layer --lib --target-dir target/shuttle interleavings
//! ```
//!
//! Locks and atomics are shuttle's there (`crate::sync`), and each use of one is a place where another thread may go on. A run that
//! fails prints the schedule by which it can be had again.

use super::*;
use crate::{
    engine::{Mailbox, Pipe},
    namespace::recover::{Guest, Shown},
    rooms::RecoveryConfig,
    wire::{Frames, Limits, socket_io},
};
use shuttle::{future, thread};
use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
    task::{Context, Poll},
};

/// How many interleavings of each kind are tried: any, and those with few changes of thread, which find other mistakes.
const RUNS: usize = 1_500;
const CHANGES: usize = 3;

fn check(scenario: impl Fn() + Copy + Send + Sync + 'static) {
    shuttle::check_random(scenario, RUNS);
    shuttle::check_pct(scenario, RUNS, CHANGES);
}

/// Keeps what is written. It takes a part at a time, so that packets are cut anywhere.
#[derive(Default)]
struct Sink(Mutex<Vec<u8>>);

/// What a pipe takes at once, in bytes.
const PART: usize = 50;

impl Sink {
    /// The texts that have arrived whole.
    fn texts(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap();
        let (mut at, mut texts) = (0, Vec::new());
        while let Some(&[0x81, length @ ..126]) = bytes.get(at..at + 2) {
            let Some(text) = bytes.get(at + 2..at + 2 + usize::from(length)) else {
                break;
            };
            texts.push(String::from_utf8(text.to_vec()).unwrap());
            at += 2 + usize::from(length);
        }
        texts
    }

    /// Of each publisher, the numbers that have arrived.
    fn numbers(&self) -> BTreeMap<String, Vec<u64>> {
        let mut numbers = BTreeMap::<_, Vec<_>>::new();
        for (publisher, number, _) in self.events() {
            numbers.entry(publisher).or_default().push(number);
        }
        numbers
    }

    /// The events that have arrived: of whom, which one, and its offset.
    fn events(&self) -> Vec<(String, u64, Option<String>)> {
        let texts = self.texts().into_iter();
        let events = texts.filter_map(|text| {
            let json = text.strip_prefix("42")?.to_owned();
            let event: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
            let offset = event.get(2).and_then(|offset| offset.as_str());
            Some((
                event[0].as_str().unwrap().to_owned(),
                event[1].as_u64().unwrap(),
                offset.map(str::to_owned),
            ))
        });
        events.collect()
    }
}

impl Pipe for Sink {
    fn poll_read(&self, _cx: &mut Context<'_>, _buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(&self, _cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.try_write(bufs))
    }

    fn poll_flush(&self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn try_write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap();
        let before = kept.len();
        for buf in bufs {
            let room = PART - (kept.len() - before);
            kept.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        Ok(kept.len() - before)
    }

    fn try_flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn poll_shutdown(&self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A server without connections: its clients are mailboxes in front of sinks.
struct Model {
    house: House,
    flushers: Vec<future::JoinHandle<()>>,
}

impl Model {
    fn new(recovery: bool) -> Self {
        let hub = Hub::new(Box::new(InMemory));
        if recovery {
            assert!(hub.recover(RecoveryConfig::default()));
        }
        let house = house_on(hub, &usual(), Notes::default());
        // Opened here, since what makes it is not looked into.
        house.main.channel();
        let tasks = house.main.flusher().tasks(2);
        let flushers = tasks.into_iter().map(future::spawn).collect();
        Self { house, flushers }
    }

    fn mailbox(&self) -> (Arc<Mailbox>, Arc<Sink>) {
        let sink = Arc::new(Sink::default());
        let config = self.house.hub.engine().config();
        let mailbox = Mailbox::new(Revision::V4.into(), Some(sink.clone()), config, 0);
        (Arc::new(mailbox), sink)
    }

    fn guest(&self, mailbox: &Arc<Mailbox>) -> Guest {
        Guest {
            namespace: self.house.main.clone(),
            mailbox: mailbox.clone(),
            handshake: handshake(),
            data: Arc::new(()),
        }
    }

    fn member(&self, token: Option<&str>) -> (Arc<Peer>, Arc<Sink>) {
        let (mailbox, sink) = self.mailbox();
        let peer = Arc::new(self.guest(&mailbox).peer());
        self.house.main.enter(&peer, token);
        (peer, sink)
    }

    /// Emits numbered events to room `a`, from a thread of its own.
    fn publish(&self, name: &'static str, numbers: std::ops::Range<u64>) -> thread::JoinHandle<()> {
        let main = self.house.main.clone();
        thread::spawn(move || {
            for number in numbers {
                let json = format!(r#"["{name}",{number}]"#);
                let event = Data::parse_event(&json, Vec::new(), &Limits::default()).unwrap();
                let emitted = main.emit(&Selection::of(["a"]), Flags::default(), event);
                drop(emitted.unwrap());
            }
        })
    }

    /// Lets the flushers come to their end. Whoever waits for something that never comes stops the run.
    fn end(self) {
        self.house.main.flusher().stop();
        for flusher in self.flushers {
            future::block_on(flusher).unwrap();
        }
    }
}

fn handshake() -> Arc<HandshakeInfo> {
    let uri = "/socket.io/".parse().unwrap();
    Arc::new(HandshakeInfo::new(&uri, &http::HeaderMap::new()))
}

/// Its connection is over.
fn lose(peer: &Peer) {
    peer.begin_leaving();
    peer.namespace().exit(peer);
    peer.mailbox().finish();
}

/// Waits until all is written. Nobody wakes the flushers any more: what they do not write by themselves stays where it is, and
/// the run ends with too many steps.
fn flushed(peer: &Peer) {
    while peer.mailbox().depth() != (0, 0) {
        thread::yield_now();
    }
}

/// One after the other, without a gap.
fn assert_run(numbers: &[u64]) {
    let gap = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
    assert_eq!(gap, None, "{numbers:?}");
}

/// Whoever stays hears all, whoever comes a part from there on, whoever leaves a part up to there.
#[test]
fn a_broadcast_meets_those_who_come_and_go() {
    const NUMBERS: u64 = 3;
    check(|| {
        let model = Model::new(false);
        let [(stays, all), (comes, late), (leaves, early), (ends, cut)] =
            [(); 4].map(|()| model.member(None));
        for peer in [&stays, &leaves, &ends] {
            drop(peer.join(vec!["a".into()]));
        }
        let publishers = ["x", "y"].map(|name| model.publish(name, 0..NUMBERS));
        let (joining, leaving) = (comes.clone(), leaves.clone());
        let moves = thread::spawn(move || {
            drop(joining.join(vec!["a".into()]));
            drop(leaving.leave(vec!["a".into()]));
            lose(&ends);
        });
        for thread in publishers.into_iter().chain([moves]) {
            thread.join().unwrap();
        }
        for peer in [&stays, &comes, &leaves] {
            flushed(peer);
        }
        assert_eq!(all.events().len(), 2 * NUMBERS as usize);
        for numbers in all.numbers().values() {
            assert_eq!(*numbers, (0..NUMBERS).collect::<Vec<_>>());
        }
        let rooms = model.house.main.rooms();
        assert!(rooms.contains(&"a".to_owned()), "{rooms:?}");
        assert_eq!(model.house.main.count(&Selection::of(["a"])), 2);
        model.end();
        for numbers in late.numbers().values() {
            assert_run(numbers);
            assert_eq!(numbers.last(), Some(&(NUMBERS - 1)), "it is still there");
        }
        for numbers in early.numbers().values().chain(cut.numbers().values()) {
            assert_run(numbers);
            assert_eq!(numbers.first(), Some(&0), "it was there from the beginning");
        }
    });
}

/// The connection is given up on one thread while the client comes back on another, and events flow.
#[test]
fn who_comes_back_while_its_former_connection_ends_misses_nothing() {
    const NUMBERS: u64 = 4;
    check(|| {
        let model = Model::new(true);
        let (peer, before) = model.member(Some("token"));
        drop(peer.join(vec!["a".into()]));
        model.publish("x", 0..1).join().unwrap();
        flushed(&peer);
        let publisher = model.publish("x", 1..NUMBERS);
        let former = peer.clone();
        let ending = thread::spawn(move || lose(&former));
        // What the client has seen when it comes back. What its former connection still writes is lost on the way.
        let mut seen = before.events();
        let (mailbox, after) = model.mailbox();
        let shown = Shown {
            token: "token".into(),
            offset: seen.last().unwrap().2.clone().unwrap().into(),
        };
        let (_, returning) = future::block_on(model.guest(&mailbox).come_back(shown));
        // The reply to CONNECT, of which only its place matters here.
        let reply = Frames::from(socket_io::disconnect_frame("/side"));
        let again = returning.expect("it comes back").let_in(|_, _| reply);
        let again = again.expect("it is not too much");
        assert_eq!(again.id(), peer.id());
        publisher.join().unwrap();
        ending.join().unwrap();
        flushed(&again);
        seen.extend(after.events());
        let numbers: Vec<_> = seen.iter().map(|(_, number, _)| *number).collect();
        assert_eq!(numbers, (0..NUMBERS).collect::<Vec<_>>());
        assert_eq!(again.rooms().len(), 2, "its own, and `a`");
        model.end();
    });
}
