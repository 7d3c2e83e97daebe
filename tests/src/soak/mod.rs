//! A cluster under load while harm is done to its servers: every delivery is accounted for.
//!
//! Each server is a process ([`cluster-server`](../../bin/cluster-server.rs)) with one publisher, which numbers what it says in each room.
//! A client that is in a room has to hear all numbers of a publisher from the first that was asked for after it was let in: each once, in
//! order. What was published while it had no server is what it was told that it missed.

mod board;
mod client;
mod connection;
mod fire;
mod harm;
mod publisher;
mod random;
#[cfg(test)]
mod tests;

pub use fire::Fire;
pub use harm::Harm;

use crate::engines::{Process, free_port};
use board::Board;
use random::Random;
use std::{ops::AddAssign, path::Path, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// A run. The same seed makes the same choices; what comes of them depends on the machine.
#[derive(Debug, Clone, Copy)]
pub struct Soak<'a> {
    /// How many servers there are.
    pub servers: usize,
    /// How many clients.
    pub sockets: usize,
    /// How many rooms. Each client is in two of them, and in and out of a third.
    pub rooms: usize,
    /// The run ends once so many deliveries were made.
    pub deliveries: u64,
    /// What is done to one of the servers after the other, over the run.
    pub harms: &'a [Harm],
    /// What servers have in their environment: see [`cluster-server`](../../bin/cluster-server.rs).
    pub environment: &'a [&'a str],
    /// How long each publisher waits after each of its runs of one to four numbers.
    pub pace: Duration,
    /// What the choices are made of.
    pub seed: u64,
}

/// What became of the events.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Events that reached a client.
    pub deliveries: u64,
    /// That should have reached a client, and did not.
    pub lost: u64,
    /// That reached a client once more.
    pub doubled: u64,
    /// That reached a new client, and had reached it before it was new.
    pub again: u64,
    /// That reached a client after a later one.
    pub misordered: u64,
    /// That were published while a client had no server, counted for each room that it was in before.
    pub while_away: u64,
    /// How often clients were told that their connection is gone.
    pub outages: u64,
    /// How often clients entered and left rooms.
    pub moves: u64,
    /// How often harm was done to a server.
    pub harms: u64,
    /// The first of what went wrong.
    pub complaints: Vec<String>,
}

impl Report {
    fn complain(&mut self, what: impl FnOnce() -> String) {
        if self.complaints.len() < 10 {
            self.complaints.push(what());
        }
    }
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.again += other.again;
        self.misordered += other.misordered;
        self.while_away += other.while_away;
        self.outages += other.outages;
        self.moves += other.moves;
        self.harms += other.harms;
        for complaint in other.complaints {
            self.complain(|| complaint);
        }
    }
}

impl Soak<'_> {
    /// Starts the servers, of these programs in turn, and runs.
    ///
    /// # Panics
    ///
    /// Panics when a server can't be started.
    pub async fn run(self, programs: &[&Path], adapter: &str, engine: &str) -> Report {
        let ports: Arc<[u16]> = (0..self.servers).map(|_| free_port()).collect();
        let has_clock = self.harms.contains(&Harm::Clock);
        let start = |(port, program): (&u16, &&Path)| {
            let program = program.to_str().expect("a path in UTF-8");
            let command = [program, adapter, engine, &port.to_string()].map(str::to_owned);
            Process::start("env", |folder| {
                let mut all: Vec<_> = self.environment.iter().map(ToString::to_string).collect();
                if has_clock {
                    all.extend(harm::with_clock(folder));
                }
                all.extend(command);
                all
            })
        };
        let programs = programs.iter().cycle();
        let servers: Vec<_> = ports.iter().zip(programs).map(start).collect();
        let board = Arc::new(Board::default());
        for port in &*ports {
            connection::ready(*port).await;
        }

        let mut clients = JoinSet::new();
        for index in 0..self.sockets {
            let plan = client::Plan::new(self, index, Arc::clone(&ports));
            clients.spawn(client::run(plan, Arc::clone(&board)));
        }
        board.all_in(self.sockets).await;
        let mut publishers = JoinSet::new();
        for (index, port) in ports.iter().enumerate() {
            let plan = publisher::Plan::new(self, index, *port);
            publishers.spawn(publisher::run(plan, Arc::clone(&board)));
        }

        let mut report = Report::default();
        let mut random = Random::new(self.seed, 0);
        let phases = self.harms.len() as u64 + 1;
        for (number, harm) in self.harms.iter().enumerate() {
            let so_far = self.deliveries * (number as u64 + 1) / phases;
            board.reached(so_far).await;
            let victim = match harm {
                Harm::Replace => number % self.servers,
                _ => random.below(self.servers),
            };
            harm.befall(&servers[victim], ports[victim], number).await;
            report.harms += 1;
        }
        board.reached(self.deliveries).await;
        board.stop();
        while let Some(ended) = publishers.join_next().await {
            ended.expect("a publisher does not panic");
        }
        board.close();
        while let Some(outcome) = clients.join_next().await {
            report += outcome.expect("a client does not panic");
        }
        report
    }
}
