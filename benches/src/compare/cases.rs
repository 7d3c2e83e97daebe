//! The cases: a load each, and the figures it is run for.

use crate::servers::Server;
use std::time::Duration;

/// A load.
#[derive(Debug)]
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// Arguments of the load generator.
    load: &'static str,
    /// The same with fewer events, for servers that send each on its own: so that all runs take about as long.
    load_each: Option<&'static str>,
    /// Arguments of the server, which those that are asked know.
    pub server: &'static [&'static str],
    /// The servers that can do this; none named is all.
    only: &'static [&'static str],
    /// What to show of it.
    pub figures: &'static [Figure],
    /// After how long a run is given up.
    pub patience: Duration,
    /// It takes so long that it is run when it is named, and not as one of all.
    pub is_long: bool,
}

/// A figure of a load's report.
#[derive(Debug)]
pub struct Figure {
    /// Its name there.
    pub key: &'static str,
    /// What the table calls it.
    pub label: &'static str,
    /// More of it is better.
    pub more: bool,
}

pub(crate) const fn less(key: &'static str, label: &'static str) -> Figure {
    let more = false;
    Figure { key, label, more }
}

const fn more(key: &'static str, label: &'static str) -> Figure {
    let more = true;
    Figure { key, label, more }
}

const DELIVERY: Figure = less("server_cpu_us_per_delivery", "server CPU µs per delivery");
const P50: Figure = less("p50_ms", "latency p50 ms");
const P99: Figure = less("p99_ms", "latency p99 ms");
const CYCLE: Figure = less("server_cpu_us_per_cycle", "server CPU µs per cycle");
const RESIDENT: Figure = less("rss_kib_per_connection", "resident KiB per connection");
const CONNECT: Figure = less("server_cpu_us_per_connect", "server CPU µs per connect");
const GROWTH: Figure = less("rss_growth_kib", "growth of resident KiB");
const HOLDING: Figure = less("server_cpu_percent", "% of a core");
const AFTER: Figure = less("rss_percent_of_idle", "resident after 10 s, % of idle");
const ARRIVED: Figure = more("arrived_percent", "% of events that arrived");
const MISSED: Figure = less("lost", "events missed by clients that were told nothing");

/// Servers that speak the whole protocol.
const FULL: &[&str] = &["rooms", "rooms-hyper", "rooms-2", "socketioxide", "node"];
/// The same and the floor, which knows attachments and small rooms too.
const FULL_AND_FLOOR: &[&str] = &[
    "rooms",
    "rooms-hyper",
    "rooms-2",
    "floor",
    "socketioxide",
    "node",
];

impl Case {
    const fn new(
        name: &'static str,
        about: &'static str,
        load: &'static str,
        figures: &'static [Figure],
    ) -> Case {
        Case {
            name,
            about,
            load,
            load_each: None,
            server: &[],
            only: &[],
            figures,
            patience: Duration::from_secs(120),
            is_long: false,
        }
    }

    const fn each(self, load: &'static str) -> Case {
        let load_each = Some(load);
        Case { load_each, ..self }
    }

    const fn only(self, only: &'static [&'static str]) -> Case {
        Case { only, ..self }
    }

    const fn long(self, patience: Duration) -> Case {
        Case {
            is_long: true,
            patience,
            ..self
        }
    }

    const fn server(self, server: &'static [&'static str]) -> Case {
        Case { server, ..self }
    }
}

/// Every case.
pub const CASES: &[Case] = &[
    Case::new(
        "idle",
        "10,000 clients that only exist",
        "idle -n 10000 -t 2",
        &[RESIDENT, CONNECT],
    ),
    Case::new(
        "paced-1k-20",
        "a room of 1,000, 20 events of 128 B per second",
        "paced -n 1000 -r 20 -s 128 -t 4",
        &[DELIVERY, P50, P99],
    ),
    Case::new(
        "paced-1k-100",
        "a room of 1,000, 100 events of 128 B per second",
        "paced -n 1000 -r 100 -s 128 -t 4",
        &[DELIVERY, P50, P99],
    ),
    Case::new(
        "paced-5k-20",
        "a room of 5,000, 20 events of 128 B per second",
        "paced -n 5000 -r 20 -s 128 -t 4",
        &[DELIVERY, P50, P99],
    ),
    Case::new(
        "burst-1k-64",
        "a room of 1,000, events of 64 B in one go",
        "burst -n 1000 -m 3000 -s 64 --warmup 100",
        &[DELIVERY],
    )
    .each("burst -n 1000 -m 400 -s 64 --warmup 40"),
    Case::new(
        "burst-10k-64",
        "a room of 10,000, events of 64 B in one go",
        "burst -n 10000 -m 200 -s 64 --warmup 10",
        &[DELIVERY],
    )
    .each("burst -n 10000 -m 40 -s 64 --warmup 4"),
    Case::new(
        "burst-1k-1024",
        "a room of 1,000, events of 1 KiB in one go",
        "burst -n 1000 -m 1000 -s 1024 --warmup 100",
        &[DELIVERY],
    )
    .each("burst -n 1000 -m 300 -s 1024 --warmup 40"),
    Case::new(
        "burst-10k-1024",
        "a room of 10,000, events of 1 KiB in one go",
        "burst -n 10000 -m 80 -s 1024 --warmup 10",
        &[DELIVERY],
    )
    .each("burst -n 10000 -m 30 -s 1024 --warmup 4"),
    Case::new(
        "burst-given-back",
        "a room of 10,000, 1,000 events of 1 KiB in one go, and memory 10 s later",
        "burst -n 10000 -m 1000 -s 1024 --warmup 0 --settle 10",
        &[DELIVERY, AFTER],
    )
    .only(&["rooms", "rooms-hyper", "floor-64", "socketioxide"]),
    Case::new(
        "echo",
        "200 clients with 8 acknowledged requests in flight each",
        "echo -n 200 -k 8 -t 2",
        &[
            less("server_cpu_us_per_roundtrip", "server CPU µs per round trip"),
            P50,
            P99,
        ],
    ),
    Case::new(
        "churn",
        "clients that connect, join and leave, 32 at a time",
        "churn -n 32 -t 2",
        &[CYCLE],
    ),
    Case::new(
        "all",
        "everybody, 1,000 of them, 20 events of 128 B per second",
        "paced -n 1000 -r 20 -s 128 -t 4 --to all",
        &[DELIVERY, P99],
    ),
    Case::new(
        "except",
        "a room of 1,000 without every second one, 20 events of 128 B per second",
        "paced -n 1000 -r 20 -s 128 -t 4 --to except",
        &[DELIVERY, P99],
    ),
    Case::new(
        "seats",
        "10,000 rooms of 5 among 5,000 clients, 4,000 events of 128 B per second to any of them",
        "paced -n 5000 -r 4000 -s 128 -t 4 --to seats",
        &[DELIVERY, P99],
    )
    .only(FULL_AND_FLOOR),
    Case::new(
        "binary",
        "a room of 1,000, 20 events with 128 B of bytes per second",
        "paced -n 1000 -r 20 -s 128 -t 4 --to binary",
        &[DELIVERY, P99],
    )
    .only(FULL_AND_FLOOR),
    Case::new(
        "msgpack",
        "a room of 1,000 that speaks msgpack, 20 events of 128 B per second",
        "--msgpack paced -n 1000 -r 20 -s 128 -t 4",
        &[DELIVERY, P99],
    )
    .only(FULL)
    .server(&["--parser", "msgpack"]),
    Case::new(
        "polling",
        "a room of 1,000 that polls, 5 events of 128 B per second",
        "paced -n 1000 -r 5 -s 128 -t 4 --polling",
        &[DELIVERY, P99],
    )
    .only(FULL),
    Case::new(
        "idle-polling",
        "5,000 clients that poll and hear nothing",
        "idle -n 5000 -t 2 --polling",
        &[RESIDENT, CONNECT],
    )
    .only(FULL),
    Case::new(
        "tls",
        "a room of 1,000 over TLS, 20 events of 128 B per second",
        "--tls paced -n 1000 -r 20 -s 128 -t 4",
        &[DELIVERY, P99],
    )
    .only(&["rooms"])
    .server(&["--front", "tls"]),
    Case::new(
        "tls-idle",
        "5,000 clients over TLS that only exist",
        "--tls idle -n 5000 -t 2",
        &[RESIDENT, CONNECT],
    )
    .only(&["rooms"])
    .server(&["--front", "tls"]),
    Case::new(
        "storm",
        "a room of 1,000, 20 events of 128 B per second, and 16 clients that join and leave it all the time",
        "storm -n 1000 -k 16 -r 20 -s 128 -t 4",
        &[
            P99,
            less("server_cpu_us_per_hop", "server CPU µs per hop, events included"),
            more("hops_per_s", "hops per second"),
        ],
    )
    .only(FULL),
    Case::new(
        "slow",
        "a room of 200 and 50 that do not read, 20 events of 64 KiB per second",
        "slow -n 200 -k 50 -r 20 -s 65536 -t 6",
        &[P99, GROWTH],
    )
    .only(FULL),
    Case::new(
        "avalanche",
        "15,000 clients that are cut at once and come back at once",
        "avalanche -n 15000",
        &[
            more("back_after_1s_percent", "% back after 1 s"),
            more("back_after_5s_percent", "% back after 5 s"),
            more("back_after_10s_percent", "% back after 10 s"),
            less("p99_ms", "p99 ms until back"),
            less("server_cpu_s", "server CPU s"),
            GROWTH,
        ],
    ),
    Case::new(
        "hold",
        "19,000 clients in a room that hear nothing for a minute, and then a broadcast",
        "hold -n 19000 -t 60",
        &[HOLDING],
    )
    .only(FULL),
    Case::new(
        "hold-10m",
        "the same for ten minutes",
        "hold -n 19000 -t 600",
        &[HOLDING],
    )
    .only(FULL)
    .long(Duration::from_secs(720)),
    Case::new(
        "jitter",
        "2,000 clients that are cut every 5 s on average, 10 events per second",
        "jitter -n 2000 -r 10 -t 10",
        &[ARRIVED, MISSED],
    )
    .only(FULL),
    Case::new(
        "jitter-recovery",
        "the same with connection state recovery",
        "jitter -n 2000 -r 10 -t 10 --recover",
        &[ARRIVED, MISSED],
    )
    .only(&["rooms", "node"])
    .server(&["--recovery"]),
];

/// The case of that name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Case, String> {
    CASES
        .iter()
        .find(|case| case.name == name)
        .ok_or_else(|| format!("no case is called {name}"))
}

impl Case {
    /// Arguments of the load generator, for a server that sends each event on its own or one that does not.
    pub fn load(&self, sends_each: bool) -> &'static str {
        self.load_each.filter(|_| sends_each).unwrap_or(self.load)
    }

    /// Whether the server can do this.
    pub fn suits(&self, server: &Server) -> bool {
        let is_among = |names: &[&str], name| names.is_empty() || names.contains(&name);
        is_among(self.only, server.name) && is_among(server.cases, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load::{Mode, Options},
        servers,
    };
    use clap::Parser;

    #[derive(Parser)]
    struct Load {
        #[command(flatten)]
        _options: Options,
        #[command(subcommand)]
        _mode: Mode,
    }

    #[test]
    fn loads_are_understood() {
        for case in CASES {
            for each in [false, true] {
                let words = ["load"].into_iter().chain(case.load(each).split(' '));
                if let Err(e) = Load::try_parse_from(words) {
                    panic!("{}: {e}", case.name);
                }
            }
        }
    }

    #[test]
    fn servers_are_known() {
        for name in CASES.iter().flat_map(|case| case.only) {
            servers::find(name).expect("a server");
        }
    }
}
