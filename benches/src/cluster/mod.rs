//! Several servers that an adapter joins: what a broadcast to one room costs the one that emits, those that hear of it and the
//! engine between them, and how much later it is on another server.

mod adapters;
mod costs;
mod engine;

pub use adapters::{ADAPTERS, Adapter, find, node};

use crate::{
    compare::{Figure, Run, less},
    load::{self, Joined, Options, Report},
    servers::{self, Programs, Running},
};
use adapters::Deliveries;
use costs::Costs;
use engine::Engine;
use std::time::Duration;

/// How large a cluster is, and how it is loaded.
#[derive(Debug, Clone)]
pub struct Load {
    /// How many servers.
    pub servers: usize,
    /// How many clients of each.
    pub clients: usize,
    /// Events per second.
    pub rate: u32,
    /// Payload bytes of each.
    pub size: u32,
    /// For how many seconds.
    pub secs: u32,
}

/// Why a cluster gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A server or an engine could not be run.
    #[error(transparent)]
    Run(#[from] servers::Error),
    /// The clients did not get what they should have.
    #[error(transparent)]
    Load(#[from] load::Error),
    /// The engine does not tell what it has sent.
    #[error("the engine's counters can't be read: {0}")]
    Counters(String),
}

const SERVER: Figure = less(
    "emitter_cpu_us",
    "CPU µs per broadcast, the emitting server",
);
const ENGINE: Figure = less("engine_cpu_us", "CPU µs per broadcast, the engine");
const DELIVERIES: Figure = less("engine_deliveries", "engine deliveries per broadcast");

/// Of servers that are alone.
const ALONE: &[Figure] = &[
    SERVER,
    less("own_p50_ms", "latency p50 ms, same server"),
    less("own_p99_ms", "latency p99 ms, same server"),
];
/// Where one server has members.
const ONE: &[Figure] = &[
    DELIVERIES,
    SERVER,
    less(
        "receiver_cpu_us",
        "CPU µs per broadcast, a server with members",
    ),
    less("bystander_cpu_us", "CPU µs per broadcast, a server without"),
    ENGINE,
];
/// Where some have.
const SOME: &[Figure] = &[DELIVERIES];
/// Where all have.
const ALL: &[Figure] = &[
    DELIVERIES,
    SERVER,
    less("receiver_cpu_us", "CPU µs per broadcast, another server"),
    ENGINE,
    less("own_p50_ms", "latency p50 ms, same server"),
    less("others_p50_ms", "latency p50 ms, another server"),
    less("added_p50_ms", "added latency p50 ms"),
    less("own_p99_ms", "latency p99 ms, same server"),
    less("others_p99_ms", "latency p99 ms, another server"),
];

impl Load {
    /// On how many servers the room has members, one after the other.
    fn spreads(&self) -> Vec<usize> {
        let mut spreads = vec![1, self.servers / 2, self.servers];
        spreads.retain(|members| *members > 0);
        spreads.dedup();
        spreads
    }

    fn case(&self, members: usize) -> String {
        format!("{members} of {}", self.servers)
    }

    /// The cases, by name, and what is shown of each.
    pub fn cases(&self) -> Vec<(String, &'static [Figure])> {
        let mut cases = vec![("alone".to_owned(), ALONE)];
        for members in self.spreads() {
            let figures = match members {
                all if all == self.servers => ALL,
                1 => ONE,
                _ => SOME,
            };
            cases.push((self.case(members), figures));
        }
        cases
    }

    /// Runs a cluster, a fresh one, and hands on what was found for each case.
    ///
    /// # Errors
    /// When it can't be run, or its clients or its engine fail it.
    pub fn run(
        &self,
        programs: &Programs,
        adapter: &Adapter,
        mut found: impl FnMut(Run),
    ) -> Result<(), Error> {
        let cores = servers::MEMBER.cores();
        let engine = adapter.engine.map(|kind| Engine::start(kind, cores));
        let mut engine = engine.transpose()?;
        let mut line = programs.command_line(adapter.server()?)?;
        line.extend(adapter.arguments().map(Into::into));
        if let Some(engine) = &engine {
            line.extend(["--engine".into(), engine.url().into()]);
        }
        let count = match engine {
            Some(_) => self.servers,
            None => 1,
        };
        // All at once: Node takes a while.
        let running = (0..count).map(|_| Running::spawn(&line, cores));
        let mut running = running.collect::<Result<Vec<_>, _>>()?;
        for server in &mut running {
            server.listens(Duration::from_secs(30))?;
        }
        let addresses: Vec<_> = running.iter().map(|server| server.address).collect();
        let options = Options::new(addresses[0], running[0].pid());
        let mut clients = Joined::open(&options, addresses, self.clients)?;

        let spreads = match engine {
            Some(_) => self.spreads(),
            None => vec![1],
        };
        // The emitting server is the last one to have members.
        let mut without = count;
        for members in spreads {
            while without > count - members {
                without -= 1;
                clients.join(without)?;
            }
            let mut report = Report::default();
            if let Some(engine) = &mut engine {
                let deliveries = engine::deliveries(engine, &mut clients)?;
                report = report.with("engine_deliveries", deliveries);
                if let Some(wanted) = adapter.deliveries(members, without == 0) {
                    report = report.with("wanted_deliveries", wanted as f64);
                }
            } else {
                // Compilers at run time need as much as the others get.
                clients.blast(2 * engine::EVENTS, engine::SHORT)?;
            }
            let pids = running.iter().map(Running::pid);
            let costs = Costs::begin(pids, engine.as_ref().map(Engine::pid));
            let heard = clients.pace(self.rate, self.size as usize, self.secs)?;
            let report = report
                .and(costs.end(self.rate * self.secs, without))
                .and(heard);
            found(Run {
                server: adapter.name.to_owned(),
                case: match engine {
                    Some(_) => self.case(members),
                    None => "alone".to_owned(),
                },
                figures: report.into(),
            });
        }
        Ok(())
    }
}

/// What an adapter has promised, and its engine has not seen: a line for each run.
pub fn broken_promise(run: &Run) -> Option<String> {
    let wanted = run.figures.get("wanted_deliveries")?;
    let found = run.figures.get("engine_deliveries")?;
    // What servers tell each other beside broadcasts is less than this.
    const BESIDE: f64 = 0.02;
    ((found - wanted).abs() > BESIDE * wanted.max(1.0)).then(|| {
        format!(
            "{}, {}: the engine delivered each broadcast {found} times instead of {wanted}",
            run.server, run.case
        )
    })
}

impl Adapter {
    /// How often the engine delivers a broadcast to a room, where the adapter promises it: to servers with members and no others.
    fn deliveries(&self, members: usize, emitter_is_one: bool) -> Option<usize> {
        match self.promise {
            Deliveries::Unknown => None,
            Deliveries::ToMembers => Some(members),
            Deliveries::ToOtherMembers => Some(members - usize::from(emitter_is_one)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(servers: usize) -> Load {
        Load {
            servers,
            clients: 10,
            rate: 100,
            size: 128,
            secs: 1,
        }
    }

    #[test]
    fn rooms_have_members_on_ever_more_servers() {
        for (servers, wanted) in [
            (1, vec![1]),
            (2, vec![1, 2]),
            (3, vec![1, 3]),
            (8, vec![1, 4, 8]),
        ] {
            assert_eq!(load(servers).spreads(), wanted);
        }
        let names: Vec<_> = load(4).cases().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["alone", "1 of 4", "2 of 4", "4 of 4"]);
    }

    #[test]
    fn promises_are_held_to() {
        let broken = |found: f64, wanted: f64| {
            let figures = [("engine_deliveries", found), ("wanted_deliveries", wanted)];
            let figures = figures.map(|(key, value)| (key.to_owned(), value)).into();
            let (server, case) = ("nats".to_owned(), "2 of 4".to_owned());
            broken_promise(&Run {
                server,
                case,
                figures,
            })
        };
        assert_eq!(broken(2.0, 2.0), None);
        assert_eq!(broken(2.01, 2.0), None);
        assert!(broken(4.0, 2.0).is_some());
        assert!(broken(1.0, 2.0).is_some(), "who is not told misses it");
        assert!(broken(0.5, 0.0).is_some());
    }

    #[test]
    fn the_emitting_server_is_not_told_by_nats() {
        let wanted = |name, members, emitter_is_one| {
            find(name)
                .expect("an adapter")
                .deliveries(members, emitter_is_one)
        };
        assert_eq!(wanted("sharded", 4, true), Some(4));
        assert_eq!(wanted("nats", 2, false), Some(2));
        assert_eq!(wanted("nats", 4, true), Some(3));
        assert_eq!(wanted("classic", 1, false), None);
    }
}
