//! The long forms of `tests/suites/soak.rs`:
//!
//! ```text
//! cargo build --release -p rooms-tests --bins
//! target/release/soak cluster classic 1000000       # or sharded, streams, nats, jetstream; deliveries
//! target/release/soak fire streams 200 1000 2000    # or jetstream; events in a second. Redis: Node's adapter beside it
//! target/release/soak cluster nats stop=30 clock    # what is done to servers: kill, stop, replace, clock
//! target/release/soak cluster nats replace ./old    # every second server is this program: see tests/upgrade.sh
//! ```
//!
//! Each starts the engine that it needs, and fails when anything was lost, doubled or out of order with our servers.

use rooms_tests::{
    engines::{nats::Nats, redis::Redis},
    soak::{Fire, Harm, Soak},
};
use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let [what, adapter, asked @ ..] = arguments.as_slice() else {
        return usage();
    };
    let Some(asked) = Asked::parse(asked) else {
        return usage();
    };
    let all_is_well = match *what {
        "cluster" => cluster(adapter, asked).await,
        "fire" => fire(adapter, asked).await,
        _ => return usage(),
    };
    match all_is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "soak cluster ADAPTER [DELIVERIES] [HARM..] [SERVER] | soak fire ADAPTER [RATE..] [HARM..]"
    );
    ExitCode::FAILURE
}

/// What is asked for, in any order.
#[derive(Default)]
struct Asked {
    numbers: Vec<u32>,
    harms: Vec<Harm>,
    /// Another build of the server.
    other: Option<PathBuf>,
}

impl Asked {
    fn parse(arguments: &[&str]) -> Option<Self> {
        let mut asked = Self::default();
        for argument in arguments {
            if let Ok(number) = argument.parse() {
                asked.numbers.push(number);
            } else if let Some(harm) = Harm::parse(argument) {
                asked.harms.push(harm);
            } else {
                // Servers are started in folders of their own.
                asked.other = Some(Path::new(argument).canonicalize().ok()?);
            }
        }
        Some(asked)
    }

    fn harms_or(&self, default: &[Harm]) -> Vec<Harm> {
        match &self.harms[..] {
            [] => default.to_vec(),
            harms => harms.to_vec(),
        }
    }
}

/// The program that an adapter needs. It runs until it is dropped.
struct Engine {
    url: String,
    _program: (Option<Redis>, Option<Nats>),
}

impl Engine {
    async fn start(adapter: &str) -> Self {
        let (mut redis, mut nats) = (None, None);
        let url = match adapter {
            "nats" | "jetstream" => nats.insert(Nats::start().await).url(),
            _ => redis.insert(Redis::start().await).url(),
        };
        Self {
            url,
            _program: (redis, nats),
        }
    }
}

/// The server, which was built together with this.
fn server() -> String {
    let this = env::current_exe().expect("this program is a file");
    let server = this.with_file_name("cluster-server");
    assert!(server.is_file(), "cargo build -p rooms-tests --bins");
    server.to_str().expect("a path in UTF-8").to_owned()
}

async fn cluster(adapter: &str, asked: Asked) -> bool {
    let deliveries = asked.numbers.first().copied().unwrap_or(1_000_000);
    let harms = asked.harms_or(&[Harm::Kill; 5]);
    let soak = Soak {
        servers: 4,
        sockets: 1000,
        rooms: 40,
        deliveries: deliveries.into(),
        harms: &harms,
        environment: &[],
        pace: Duration::from_millis(30),
        seed: 1,
    };
    let engine = Engine::start(adapter).await;
    let server = server();
    let mut programs = vec![Path::new(&server)];
    programs.extend(asked.other.as_deref());
    let report = soak.run(&programs, adapter, &engine.url).await;
    println!("{adapter}: {report:#?}");
    (report.lost, report.doubled, report.misordered) == (0, 0, 0)
}

async fn fire(adapter: &str, asked: Asked) -> bool {
    let rates: &[u32] = match &asked.numbers[..] {
        [] => &[200, 1000, 2000],
        rates => rates,
    };
    let harms = asked.harms_or(&[Harm::Kill]);
    let is_stopped = |harm: &Harm| matches!(harm, Harm::Stop(_));
    // As long as it takes to do all of it.
    let seconds = if harms.iter().any(is_stopped) { 80 } else { 20 };
    let server = server();
    let mut servers = vec![("rooms", vec![&*server, adapter])];
    if adapter == "streams" {
        servers.push(("node", vec!["node", "cluster-server.mjs", adapter]));
    }
    println!(
        "| servers | events/s | published | refused | deliveries | silently lost | doubled | out of order | to new clients again | came back | recovered | harms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut all_is_well = true;
    for rate in rates {
        for (name, server) in &servers {
            let fire = Fire {
                servers: 3,
                clients: 40,
                rate: *rate,
                seconds,
                drop_every: 100,
                harms: &harms,
                harm_every: 3000,
                seed: 1,
            };
            let engine = Engine::start(adapter).await;
            let run = fire
                .run(&[server.as_slice(), &[&*engine.url]].concat())
                .await;
            println!(
                "| {name} | {rate} | {} ({}/s) | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                run.events,
                run.rate,
                run.refused,
                run.deliveries,
                run.lost,
                run.doubled,
                run.misordered,
                run.again,
                run.returns,
                run.recovered,
                run.harms
            );
            for detail in &run.details {
                eprintln!("{name}: {detail}");
            }
            let is_well = (run.lost, run.doubled, run.misordered) == (0, 0, 0);
            let is_well = is_well && run.connected == fire.clients;
            if run.connected < fire.clients {
                eprintln!("{name}: {} clients at the end", run.connected);
            }
            all_is_well &= is_well || *name == "node";
        }
    }
    all_is_well
}
