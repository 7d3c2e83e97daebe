//! Who hears what while others come, go and are thrown out, against a model that is too simple to be wrong.

use crate::{Room, said};
use proptest::{collection::vec, prelude::*};
use rooms_layer::{SocketId, prelude::*};
use rooms_tests::client::Client;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::task::yield_now;

const ROOMS: u32 = 3;
const CLIENTS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Join(usize, u32),
    Leave(usize, u32),
    /// To the sockets in any of these rooms without those in any of the others.
    Emit(Vec<u32>, Vec<u32>),
    Disconnect(usize),
    /// Connects anew in the place of one that is gone.
    Return(usize),
    /// Lets the connections and the flushers do something.
    Yield,
}

fn step() -> impl Strategy<Value = Step> {
    let (client, room) = (0..CLIENTS, 0..ROOMS);
    let rooms = vec(0..ROOMS, 0..3);
    prop_oneof![
        4 => (client.clone(), room.clone()).prop_map(|(client, room)| Step::Join(client, room)),
        2 => (client.clone(), room).prop_map(|(client, room)| Step::Leave(client, room)),
        6 => (rooms.clone(), rooms).prop_map(|(rooms, except)| Step::Emit(rooms, except)),
        1 => client.clone().prop_map(Step::Disconnect),
        1 => client.prop_map(Step::Return),
        3 => Just(Step::Yield),
    ]
}

/// A client and what the model says of it: the rooms that it is in, and what it should hear.
struct Member {
    client: Client,
    rooms: BTreeSet<u32>,
    hears: Vec<String>,
    connected: bool,
}

impl Member {
    async fn new(layer: &RoomsLayer) -> Self {
        Self {
            client: Client::join(layer, "").await,
            rooms: BTreeSet::new(),
            hears: Vec::new(),
            connected: true,
        }
    }

    /// Compares what it has heard with what it should have. The last that it hears is `end`, or that it was thrown out.
    async fn check(mut self) {
        for wanted in self.hears {
            assert_eq!(
                self.client.next().await,
                format!(r#"42["said","{wanted}"]"#)
            );
        }
        let last = if self.connected {
            r#"42["said","end"]"#
        } else {
            "41"
        };
        assert_eq!(self.client.next().await, last);
    }
}

async fn run(steps: Vec<Step>) {
    let layer = RoomsLayer::new().namespace(Main::serve(()));
    let io = layer.io::<Main>();
    let mut members = Vec::new();
    for _ in 0..CLIENTS {
        members.push(Member::new(&layer).await);
    }
    let mut gone = Vec::new();
    for (n, step) in steps.into_iter().enumerate() {
        match step {
            Step::Join(member, room) if members[member].connected => {
                let member = &mut members[member];
                drop(io.to(member.client.id()).join(Room::project(room)));
                member.rooms.insert(room);
            }
            Step::Leave(member, room) if members[member].connected => {
                let member = &mut members[member];
                drop(io.to(member.client.id()).leave(Room::project(room)));
                member.rooms.remove(&room);
            }
            Step::Emit(rooms, except) => {
                let text = n.to_string();
                let (to, without): (Vec<_>, Vec<_>) = (
                    rooms.iter().copied().map(Room::project).collect(),
                    except.iter().copied().map(Room::project).collect(),
                );
                io.to(to)
                    .except(without)
                    .emit(said(&text))
                    .expect("an open server");
                for member in members.iter_mut().filter(|member| member.connected) {
                    let is_in =
                        |names: &[u32]| names.iter().any(|name| member.rooms.contains(name));
                    if is_in(&rooms) && !is_in(&except) {
                        member.hears.push(text.clone());
                    }
                }
            }
            Step::Disconnect(member) if members[member].connected => {
                let member = &mut members[member];
                drop(io.to(member.client.id()).disconnect_sockets());
                member.connected = false;
            }
            Step::Return(member) if !members[member].connected => {
                let new = Member::new(&layer).await;
                gone.push(std::mem::replace(&mut members[member], new));
            }
            Step::Yield => yield_now().await,
            // Of one that is not there.
            Step::Join(..) | Step::Leave(..) | Step::Disconnect(_) | Step::Return(_) => {}
        }
    }
    io.emit(said("end")).expect("an open server");
    for member in members.into_iter().chain(gone) {
        member.check().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_hears_what_was_emitted_while_it_was_in(steps in vec(step(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(run(steps));
    }
}

/// How far an emitter has come: how many emits it has begun, and how many have returned.
#[derive(Default)]
struct Progress {
    begun: AtomicU32,
    done: AtomicU32,
}

/// How many emits had begun, or had returned, for each emitter.
type Moment = Vec<u32>;

/// One stay in the room. What is emitted in its middle has to be heard; what is emitted at its edges may be.
struct Stay {
    /// Emits that returned before the join was called, and those that had begun when it returned.
    from: (Moment, Moment),
    /// Emits that returned before the leave was called, and those that had begun when it returned.
    to: (Moment, Moment),
}

/// Threads emit to a room that clients join and leave all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_hears_what_was_emitted_while_it_was_in_whatever_threads_do() {
    const EMITTERS: usize = 3;
    const EVENTS: u32 = 400;
    const MOVERS: usize = 6;
    let layer = RoomsLayer::new().namespace(Main::serve(()));
    let io = layer.io::<Main>();
    let progress: Arc<[Progress; EMITTERS]> = Arc::default();

    let mut movers = Vec::new();
    for _ in 0..MOVERS {
        let client = Client::join(&layer, "").await;
        let (io, progress) = (io.clone(), progress.clone());
        movers.push(tokio::spawn(async move {
            let stays = move_about(&io, client.id(), &*progress, EVENTS).await;
            io.to(client.id())
                .emit(said("end"))
                .expect("an open server");
            (client, stays)
        }));
    }
    for emitter in 0..EMITTERS {
        let (io, progress) = (io.clone(), progress.clone());
        tokio::spawn(async move {
            for n in 0..EVENTS {
                progress[emitter].begun.store(n + 1, Ordering::SeqCst);
                let text = format!("{emitter} {n}");
                io.to(Room::project(0))
                    .emit(said(&text))
                    .expect("an open server");
                progress[emitter].done.store(n + 1, Ordering::SeqCst);
                yield_now().await;
            }
        });
    }
    for mover in movers {
        let (mut client, stays) = mover.await.expect("a client that moves");
        let mut heard = vec![Vec::new(); EMITTERS];
        for text in crate::heard(&mut client).await {
            if let Some((emitter, n)) = text.split_once(' ') {
                let emitter: usize = emitter.parse().expect("a number");
                heard[emitter].push(n.parse::<u32>().expect("a number"));
            }
        }
        assert!(!stays.is_empty());
        for (emitter, heard) in heard.iter().enumerate() {
            assert!(
                heard.is_sorted_by(|a, b| a < b),
                "in order of its emitter, and once"
            );
            let must = |n: u32| {
                stays
                    .iter()
                    .any(|stay| stay.from.1[emitter] <= n && n < stay.to.0[emitter])
            };
            let may = |n: u32| {
                stays
                    .iter()
                    .any(|stay| stay.from.0[emitter] <= n && n < stay.to.1[emitter])
            };
            for n in 0..EVENTS {
                let was_heard = heard.binary_search(&n).is_ok();
                assert!(was_heard || !must(n), "{emitter} {n} is missing");
                assert!(
                    !was_heard || may(n),
                    "{emitter} {n} came to one that was not in"
                );
            }
        }
    }
}

/// Joins and leaves until the last event is emitted.
async fn move_about(io: &Io<Main>, id: &SocketId, progress: &[Progress], events: u32) -> Vec<Stay> {
    let done = || -> Moment {
        progress
            .iter()
            .map(|one| one.done.load(Ordering::SeqCst))
            .collect()
    };
    let begun = || -> Moment {
        progress
            .iter()
            .map(|one| one.begun.load(Ordering::SeqCst))
            .collect()
    };
    let mut stays = Vec::new();
    while done().iter().any(|done| *done < events) {
        let before = done();
        drop(io.to(id).join(Room::project(0)));
        let from = (before, begun());
        for _ in 0..3 {
            yield_now().await;
        }
        let before = done();
        drop(io.to(id).leave(Room::project(0)));
        stays.push(Stay {
            from,
            to: (before, begun()),
        });
        yield_now().await;
    }
    stays
}
