//! A cluster under load while its servers are killed: every delivery is accounted for.
//!
//! Each server is a process ([`cluster-server`](../../bin/cluster-server.rs)) with one publisher, which numbers what it says in each room.
//! A client that is in a room has to hear all numbers of a publisher from the first that was asked for after it was let in: each once, in
//! order. What was published while it had no server is what it was told that it missed.

mod board;
mod client;
mod connection;
mod fire;
mod publisher;
mod random;
#[cfg(test)]
mod tests;

pub use fire::Fire;

use crate::engines::{Process, free_port};
use board::Board;
use random::Random;
use std::{ops::AddAssign, path::Path, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// A run. The same seed makes the same choices; what comes of them depends on the machine.
#[derive(Debug, Clone, Copy)]
pub struct Soak {
    /// How many servers there are.
    pub servers: usize,
    /// How many clients.
    pub sockets: usize,
    /// How many rooms. Each client is in two of them, and in and out of a third.
    pub rooms: usize,
    /// The run ends once so many deliveries were made.
    pub deliveries: u64,
    /// How often one of the servers is killed and comes back, over the run.
    pub kills: u64,
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
    /// That reached a client after a later one.
    pub misordered: u64,
    /// That were published while a client had no server, counted for each room that it was in before.
    pub while_away: u64,
    /// How often clients were told that their connection is gone.
    pub outages: u64,
    /// How often clients entered and left rooms.
    pub moves: u64,
    /// How often a server was killed.
    pub kills: u64,
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
        self.misordered += other.misordered;
        self.while_away += other.while_away;
        self.outages += other.outages;
        self.moves += other.moves;
        self.kills += other.kills;
        for complaint in other.complaints {
            self.complain(|| complaint);
        }
    }
}

impl Soak {
    /// Starts the servers and runs.
    ///
    /// # Panics
    ///
    /// Panics when a server can't be started.
    pub async fn run(self, server: &Path, adapter: &str, engine: &str) -> Report {
        let ports: Arc<[u16]> = (0..self.servers).map(|_| free_port()).collect();
        let program = server.to_str().expect("a path in UTF-8");
        let start = |port: &u16| {
            let arguments = [adapter, engine, &port.to_string()].map(str::to_owned);
            Process::start(program, |_| arguments.to_vec())
        };
        let servers: Vec<_> = ports.iter().map(start).collect();
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
            publishers.spawn(publisher::run(self, index, *port, Arc::clone(&board)));
        }

        let mut report = Report::default();
        let mut random = Random::new(self.seed, 0);
        for kill in 1..=self.kills {
            board
                .reached(self.deliveries * kill / (self.kills + 1))
                .await;
            let victim = random.below(self.servers);
            servers[victim].kill();
            // Others go on without it.
            sleep(Duration::from_millis(200)).await;
            servers[victim].restart();
            connection::ready(ports[victim]).await;
            report.kills += 1;
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
