//! What is kept for clients that come back, held against a model that keeps everything.

use super::session::Sessions;
use crate::{
    rooms::{RecoveryConfig, Selection, SocketId, adapter::Broadcast},
    wire::DataWriter,
};
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// What may happen. Clients and rooms are numbers.
#[derive(Debug, Clone)]
enum Step {
    Emit {
        rooms: Option<Vec<u8>>,
        except: Vec<u8>,
    },
    Join(usize, u8),
    Leave(usize, u8),
    /// The connection breaks, and that many of the latest events have not arrived.
    Lose(usize, usize),
    /// It comes back, perhaps while the former connection looks alive.
    Return(usize),
    /// It comes back, and its connection breaks before anything arrives.
    ReturnInVain(usize),
    SayGoodbye(usize),
    Wait(u64),
}

const CLIENTS: usize = 3;
/// The rooms from here on are those of the clients themselves.
const OWN: u8 = 4;

fn step() -> impl Strategy<Value = Step> {
    let room = || 0..OWN + CLIENTS as u8;
    let rooms = || prop::collection::vec(room(), 0..3);
    let client = || 0..CLIENTS;
    prop_oneof![
        8 => (prop::option::weighted(0.8, rooms()), rooms())
            .prop_map(|(rooms, except)| Step::Emit { rooms, except }),
        3 => (client(), 0..OWN).prop_map(|(client, room)| Step::Join(client, room)),
        2 => (client(), 0..OWN).prop_map(|(client, room)| Step::Leave(client, room)),
        3 => (client(), 0..4usize).prop_map(|(client, lost)| Step::Lose(client, lost)),
        3 => client().prop_map(Step::Return),
        1 => client().prop_map(Step::ReturnInVain),
        1 => client().prop_map(Step::SayGoodbye),
        1 => (0..20u64).prop_map(Step::Wait),
    ]
}

/// A client as the model knows it.
struct Client {
    socket: SocketId,
    token: String,
    rooms: BTreeSet<u8>,
    /// The offsets of all that was meant for it, in order.
    due: Vec<Box<str>>,
    /// How many of them it has seen.
    seen: usize,
    /// The last offset that it saw, perhaps before its session began.
    offset: Option<Box<str>>,
    is_here: bool,
}

struct World {
    sessions: Sessions,
    clients: Vec<Client>,
    arrivals: usize,
    now: Instant,
}

impl World {
    fn new(config: &RecoveryConfig) -> Self {
        let mut world = Self {
            sessions: Sessions::new(config.clone(), "epoch"),
            clients: Vec::new(),
            arrivals: 0,
            now: Instant::now(),
        };
        for number in 0..CLIENTS {
            let client = world.arrive(number, None);
            world.clients.push(client);
        }
        world
    }

    fn arrive(&mut self, number: usize, offset: Option<Box<str>>) -> Client {
        self.arrivals += 1;
        let own = OWN + number as u8;
        let socket = SocketId::from(format!("{own}/{}", self.arrivals));
        let token = format!("secret of {socket}");
        self.sessions.begin(&socket, &token);
        self.sessions.joined(&socket, &[socket.as_str().into()]);
        Client {
            socket,
            token,
            rooms: BTreeSet::from([own]),
            due: Vec::new(),
            seen: 0,
            offset,
            is_here: true,
        }
    }

    fn name(&self, room: u8) -> Box<str> {
        match room.checked_sub(OWN) {
            Some(client) => self.clients[usize::from(client)].socket.as_str().into(),
            None => room.to_string().into(),
        }
    }

    fn names(&self, rooms: &[u8]) -> Vec<Box<str>> {
        rooms.iter().map(|&room| self.name(room)).collect()
    }

    fn emit(&mut self, rooms: Option<&[u8]>, except: &[u8]) {
        let to = Selection {
            rooms: rooms.map(|rooms| self.names(rooms)),
            except: self.names(except),
        };
        let broadcast = Broadcast::new(DataWriter::event("x").finish());
        let offset = self.sessions.record(&to, &broadcast, self.now);
        for client in &mut self.clients {
            let is_in = |room: &u8| client.rooms.contains(room);
            if rooms.is_none_or(|rooms| rooms.iter().any(is_in)) && !except.iter().any(is_in) {
                client.due.push(offset.clone());
            }
        }
    }

    /// What was delivered has arrived, but for the last few.
    fn see(&mut self, number: usize, lost: usize) {
        let client = &mut self.clients[number];
        let arrived = client.due.len().saturating_sub(lost);
        if client.is_here && arrived > client.seen {
            client.seen = arrived;
            client.offset = Some(client.due[arrived - 1].clone());
        }
    }

    fn lose(&mut self, number: usize) {
        let client = &mut self.clients[number];
        if std::mem::take(&mut client.is_here) {
            self.sessions.gone(&client.socket, self.now);
        }
    }

    /// Whether it came back as what it was: then with all that it missed, once, and in order.
    fn come_back(&mut self, number: usize) -> bool {
        let client = &self.clients[number];
        assert_eq!(
            self.sessions.holder(&client.token),
            client.is_here.then(|| client.socket.clone())
        );
        // The former socket is evicted; what it was sent may or may not have arrived.
        self.lose(number);
        let client = &self.clients[number];
        let offset = client.offset.as_deref().unwrap_or_default();
        let Some(claimed) = self.sessions.claim(&client.token, offset, self.now) else {
            let offset = client.offset.clone();
            self.clients[number] = self.arrive(number, offset);
            return false;
        };
        assert_eq!(claimed.socket, client.socket);
        let rooms: BTreeSet<_> = claimed.rooms.iter().cloned().collect();
        let expected: BTreeSet<_> = client.rooms.iter().map(|&room| self.name(room)).collect();
        assert_eq!(rooms, expected);
        self.sessions.joined(&claimed.socket, &claimed.rooms);
        let missed = self
            .sessions
            .missed(&claimed)
            .expect("nothing came between");
        let missed = missed.into_iter().map(|logged| logged.broadcast.offset);
        let missed: Vec<_> = missed
            .map(|offset| offset.expect("it is recorded"))
            .collect();
        let client = &mut self.clients[number];
        assert_eq!(missed, client.due[client.seen..]);
        client.is_here = true;
        true
    }

    fn take(&mut self, step: &Step, config: &RecoveryConfig) {
        match step {
            Step::Emit { rooms, except } => self.emit(rooms.as_deref(), except),
            &Step::Join(number, room) if self.clients[number].is_here => {
                let name = self.name(room);
                let client = &mut self.clients[number];
                // The layer tells of changes only.
                if client.rooms.insert(room) {
                    self.sessions.joined(&client.socket, &[name]);
                }
            }
            &Step::Leave(number, room) if self.clients[number].is_here => {
                let name = self.name(room);
                let client = &mut self.clients[number];
                if client.rooms.remove(&room) {
                    self.sessions.left(&client.socket, &[name]);
                }
            }
            &Step::Lose(number, lost) => {
                self.see(number, lost);
                self.lose(number);
            }
            &Step::Return(number) => {
                let client = &self.clients[number];
                // A client without an offset has nothing to show.
                let must = client.offset.is_some() && is_generous(config);
                assert!(self.come_back(number) || !must);
            }
            &Step::ReturnInVain(number) => {
                if self.come_back(number) {
                    self.lose(number);
                }
            }
            &Step::SayGoodbye(number) => {
                self.see(number, 0);
                let client = &self.clients[number];
                self.sessions.end(&client.socket);
                assert_eq!(
                    self.sessions
                        .claim(&client.token, "epoch.0", self.now)
                        .map(|_| ()),
                    None
                );
                let offset = client.offset.clone();
                self.clients[number] = self.arrive(number, offset);
            }
            Step::Wait(seconds) => self.now += Duration::from_secs(*seconds),
            Step::Join(..) | Step::Leave(..) => {}
        }
    }
}

/// Whether nothing that happens here is too much.
fn is_generous(config: &RecoveryConfig) -> bool {
    config.window > Duration::from_secs(10_000)
}

fn generous() -> RecoveryConfig {
    RecoveryConfig::default().window(Duration::from_secs(100_000))
}

fn tight() -> RecoveryConfig {
    RecoveryConfig::default()
        .window(Duration::from_secs(10))
        .max_packets(5)
        .max_sessions(2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn who_comes_back_has_all_that_was_meant_for_it_once_and_in_order(
        steps in prop::collection::vec(step(), 0..120),
        is_tight: bool,
    ) {
        let config = if is_tight { tight() } else { generous() };
        let mut world = World::new(&config);
        for step in &steps {
            world.take(step, &config);
            prop_assert!(world.sessions.log().len() <= config.max_packets);
            prop_assert!(world.sessions.len() <= CLIENTS + config.max_sessions);
        }
        // Once nobody may come back, nothing is kept but the log.
        for number in 0..CLIENTS {
            world.lose(number);
        }
        world.now += config.window + Duration::from_secs(1);
        let offset = world.sessions.record(
            &Selection::everybody(),
            &Broadcast::new(DataWriter::event("x").finish()),
            world.now,
        );
        prop_assert!(offset.starts_with("epoch."));
        prop_assert_eq!(world.sessions.len(), 0);
        prop_assert_eq!(world.sessions.log().followed(), 0);
        prop_assert_eq!(world.sessions.log().len(), 1);
    }
}

#[test]
fn who_has_left_more_rooms_than_are_remembered_is_new() {
    for (rooms, comes_back) in [(64, true), (65, false)] {
        let mut world = World::new(&generous());
        world.emit(None, &[]);
        world.see(0, 0);
        let socket = world.clients[0].socket.clone();
        for room in 0..rooms {
            let name: Box<str> = format!("room {room}").into();
            world.sessions.joined(&socket, std::slice::from_ref(&name));
            world.emit(Some(&[]), &[]);
            world.sessions.left(&socket, &[name]);
        }
        world.lose(0);
        assert_eq!(world.come_back(0), comes_back, "{rooms}");
    }
}

#[test]
fn what_a_client_may_remember_falsely_gets_it_nothing() {
    let mut world = World::new(&generous());
    world.emit(None, &[]);
    let token = world.clients[0].token.clone();
    world.lose(0);
    for offset in [
        "",
        "epoch",
        "epoch.",
        "epoch.2",
        "epoch.-1",
        "epoch.+1",
        "epoch.01",
        "other.1",
        ".1",
        "epoch.1.1",
    ] {
        assert!(
            world.sessions.claim(&token, offset, world.now).is_none(),
            "{offset}"
        );
    }
    assert!(
        world
            .sessions
            .claim("a guess", "epoch.1", world.now)
            .is_none()
    );
    assert!(world.sessions.claim(&token, "epoch.1", world.now).is_some());
}
