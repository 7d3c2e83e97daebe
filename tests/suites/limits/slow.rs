//! Clients that do not read, beside a thousand that do, over real sockets.

use crate::{MIB, Said, alone, resident, serve};
use futures_util::FutureExt;
use rooms_layer::{Config, SlowClients, prelude::*};
use rooms_tests::client::Client;
use std::{future::IntoFuture, net::SocketAddr, sync::Arc};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
};

const OTHERS: usize = 1_000;
const STALLED: usize = 10;
/// Sixteen events.
const QUEUE: usize = 64 * 1024;
const EVENT: usize = 4 * 1024;
/// How many events are emitted before all the others have to have them. A quarter of a queue.
const STEP: usize = 4;

fn said(n: usize) -> Said {
    Said(format!("{n} {}", "x".repeat(EVENT)))
}

/// Which event a packet is.
fn number(packet: &str) -> usize {
    let number = packet.strip_prefix(r#"42["said",""#);
    let number = number.and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("not an event: {packet:.40}"))
}

struct House {
    rooms: RoomsLayer,
    io: Io<Main>,
    reasons: mpsc::UnboundedReceiver<DisconnectReason>,
    others: JoinSet<Client<TcpStream>>,
    /// A permit for each event that one of the others has.
    heard: Arc<Semaphore>,
    stalled: Vec<Client<TcpStream>>,
    memory: usize,
}

impl House {
    /// A server with a thousand clients that each read `events` events, all of them and in order, and some that do not read.
    async fn open(policy: SlowClients, events: usize) -> Self {
        let (sender, reasons) = mpsc::unbounded_channel();
        let main = Main::serve(()).slow_clients(policy).on_disconnect(
            move |_: Socket<Main>, reason: DisconnectReason| {
                sender.send(reason).ok();
                std::future::ready(())
            },
        );
        let config = Config::default().max_queued_bytes(QUEUE);
        let rooms = RoomsLayer::new().config(config).namespace(main);
        let io = rooms.io::<Main>();
        let address = serve(&rooms).await;
        let heard = Arc::new(Semaphore::new(0));
        let mut others = JoinSet::new();
        for _ in 0..OTHERS {
            let mut client = Client::connect(address).await;
            let heard = heard.clone();
            others.spawn(async move {
                for n in 0..events {
                    assert_eq!(number(&client.next().await), n);
                    heard.add_permits(1);
                }
                client
            });
        }
        let mut stalled = Vec::new();
        for _ in 0..STALLED {
            stalled.push(connect_stalled(address).await);
        }
        Self {
            rooms,
            io,
            reasons,
            others,
            heard,
            stalled,
            memory: 0,
        }
    }

    /// Waits until all the others have what was emitted since.
    async fn all_have(&mut self, events: usize) {
        let heard = u32::try_from(OTHERS * events).expect("few");
        let heard = self.heard.acquire_many(heard).await;
        heard.expect("it is not closed").forget();
        // The others wait for nothing now: what is queued is for those that do not read.
        let stats = self.rooms.stats();
        assert!(stats.queued_bytes <= STALLED * QUEUE, "{stats:?}");
        let resident = resident();
        if self.memory == 0 {
            self.memory = resident;
        }
        // The queues of the stalled are less than a MiB; the rest is for the allocator.
        let grown = resident.saturating_sub(self.memory);
        assert!(grown < 64 * MIB, "{} MiB more", grown / MIB);
    }

    /// The others have read to the end, and nobody has left.
    async fn others_end(self) {
        self.others.join_all().await;
    }
}

/// A client that reads no more once it has joined. Its side of the kernel takes little, too.
async fn connect_stalled(address: SocketAddr) -> Client<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 * 1024).expect("a size");
    let stream = socket.connect(address).await.expect("a connection");
    Client::connect_over(stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_those_that_stall_are_disconnected() {
    let _turn = alone().await;
    let events = 100;
    let mut house = House::open(SlowClients::Disconnect, events).await;
    for n in 0..events {
        house.io.emit(said(n)).expect("an open server");
        if n % STEP == STEP - 1 {
            house.all_have(STEP).await;
        }
    }
    for _ in 0..STALLED {
        let reason = house.reasons.recv().await;
        assert_eq!(reason, Some(DisconnectReason::SlowClient));
    }
    let stats = house.rooms.stats();
    assert_eq!(stats.closed["slow_client"], STALLED as u64);
    assert_eq!((stats.sockets, stats.dropped), (OTHERS, 0));
    assert_eq!(house.io.count().await, OTHERS);
    assert_eq!(stats.events_out, events as u64);
    let least = (OTHERS * events) as u64;
    assert!(stats.deliveries > least, "{stats:?}");
    // What a stalled one finds later is the beginning, without a gap.
    let mut late = house.stalled.pop().expect("there are some");
    for n in 0..16 {
        assert_eq!(number(&late.next().await), n);
    }
    house.others_end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volatile_events_give_way() {
    let _turn = alone().await;
    let events = 120;
    let is_reliable = |n: usize| n % 10 == 9;
    let mut house = House::open(SlowClients::DropVolatile, events).await;
    for n in 0..events {
        match is_reliable(n) {
            true => house.io.emit(said(n)),
            false => house.io.volatile().emit(said(n)),
        }
        .expect("an open server");
        if n % STEP == STEP - 1 {
            house.all_have(STEP).await;
        }
    }
    let stats = house.rooms.stats();
    assert_eq!(stats.sockets, OTHERS + STALLED, "{stats:?}");
    assert!(stats.dropped >= STALLED as u64, "{stats:?}");
    let mut dropped = 0;
    for mut client in std::mem::take(&mut house.stalled) {
        let mut next = 0;
        while next < events {
            let n = number(&client.next().await);
            let gap = next..n;
            assert!(n >= next && !gap.clone().any(is_reliable), "{gap:?}");
            dropped += gap.len();
            next = n + 1;
        }
    }
    // Neither more nor less is missing than is counted.
    assert_eq!(dropped as u64, stats.dropped);
    house.others_end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_loses_nothing() {
    let _turn = alone().await;
    let events = 120;
    let mut house = House::open(SlowClients::Wait, events).await;
    let (sender, stuck) = oneshot::channel();
    let mut sender = Some(sender);
    let io = house.io.clone();
    let (emitted, mut steps) = mpsc::channel::<oneshot::Sender<()>>(1);
    let emitting = tokio::spawn(async move {
        for n in 0..events {
            let mut sent = io.emit(said(n)).expect("an open server").into_future();
            if (&mut sent).now_or_never().is_none() {
                if let Some(sender) = sender.take() {
                    sender.send(n).expect("the test waits for it");
                }
                sent.await.expect("no adapter");
            }
            if n % STEP == STEP - 1 {
                let (go_on, told) = oneshot::channel();
                emitted.send(go_on).await.expect("the test counts them");
                told.await.expect("the test goes on");
            }
        }
    });
    // The others have all that was emitted, and the emitter waits for those that stall.
    let mut stuck = std::pin::pin!(stuck);
    let mut heard = 0;
    let at = loop {
        let go_on = tokio::select! {
            at = &mut stuck => break at.expect("the emitter waits before its end"),
            step = steps.recv() => step.expect("the emitter waits before its end"),
        };
        house.all_have(STEP).await;
        heard += STEP;
        go_on.send(()).expect("the emitter waits for it");
    };
    assert!(at < events - STEP, "{at}");
    assert_eq!(house.rooms.stats().sockets, OTHERS + STALLED);
    house.all_have(at + 1 - heard).await;
    assert!(!emitting.is_finished());

    let mut reading = JoinSet::new();
    for mut client in std::mem::take(&mut house.stalled) {
        reading.spawn(async move {
            for n in 0..events {
                assert_eq!(number(&client.next().await), n);
            }
            client
        });
    }
    let steps = tokio::spawn(async move {
        while let Some(go_on) = steps.recv().await {
            go_on.send(()).expect("the emitter waits for it");
        }
    });
    let clients = reading.join_all().await;
    emitting.await.expect("no panic");
    steps.await.expect("no panic");
    let stats = house.rooms.stats();
    assert_eq!((stats.sockets, stats.dropped), (OTHERS + STALLED, 0));
    assert!(stats.closed.is_empty(), "{stats:?}");
    drop(clients);
    house.others_end().await;
}
