//! The cases: a load each, and the figures it is run for.

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
    /// What to show of it.
    pub figures: &'static [Figure],
}

/// A figure of a load's report.
#[derive(Debug)]
pub struct Figure {
    /// Its name there.
    pub key: &'static str,
    /// What the table calls it.
    pub label: &'static str,
}

const DELIVERY: Figure = Figure {
    key: "server_cpu_us_per_delivery",
    label: "server CPU µs per delivery",
};
const P50: Figure = Figure {
    key: "p50_ms",
    label: "latency p50 ms",
};
const P99: Figure = Figure {
    key: "p99_ms",
    label: "latency p99 ms",
};

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        name: "idle",
        about: "10,000 clients that only exist",
        load: "idle -n 10000 -t 2",
        load_each: None,
        figures: &[
            Figure {
                key: "rss_kib_per_connection",
                label: "resident KiB per connection",
            },
            Figure {
                key: "server_cpu_us_per_connect",
                label: "server CPU µs per connect",
            },
        ],
    },
    Case {
        name: "paced-1k-20",
        about: "a room of 1,000, 20 events of 128 B per second",
        load: "paced -n 1000 -r 20 -s 128 -t 4",
        load_each: None,
        figures: &[DELIVERY, P50, P99],
    },
    Case {
        name: "paced-1k-100",
        about: "a room of 1,000, 100 events of 128 B per second",
        load: "paced -n 1000 -r 100 -s 128 -t 4",
        load_each: None,
        figures: &[DELIVERY, P50, P99],
    },
    Case {
        name: "paced-5k-20",
        about: "a room of 5,000, 20 events of 128 B per second",
        load: "paced -n 5000 -r 20 -s 128 -t 4",
        load_each: None,
        figures: &[DELIVERY, P50, P99],
    },
    Case {
        name: "burst-1k-64",
        about: "a room of 1,000, events of 64 B in one go",
        load: "burst -n 1000 -m 3000 -s 64 --warmup 100",
        load_each: Some("burst -n 1000 -m 400 -s 64 --warmup 40"),
        figures: &[DELIVERY],
    },
    Case {
        name: "burst-10k-64",
        about: "a room of 10,000, events of 64 B in one go",
        load: "burst -n 10000 -m 200 -s 64 --warmup 10",
        load_each: Some("burst -n 10000 -m 40 -s 64 --warmup 4"),
        figures: &[DELIVERY],
    },
    Case {
        name: "burst-1k-1024",
        about: "a room of 1,000, events of 1 KiB in one go",
        load: "burst -n 1000 -m 1000 -s 1024 --warmup 100",
        load_each: Some("burst -n 1000 -m 300 -s 1024 --warmup 40"),
        figures: &[DELIVERY],
    },
    Case {
        name: "burst-10k-1024",
        about: "a room of 10,000, events of 1 KiB in one go",
        load: "burst -n 10000 -m 80 -s 1024 --warmup 10",
        load_each: Some("burst -n 10000 -m 30 -s 1024 --warmup 4"),
        figures: &[DELIVERY],
    },
    Case {
        name: "echo",
        about: "200 clients with 8 acknowledged requests in flight each",
        load: "echo -n 200 -k 8 -t 2",
        load_each: None,
        figures: &[
            Figure {
                key: "server_cpu_us_per_roundtrip",
                label: "server CPU µs per round trip",
            },
            P50,
            P99,
        ],
    },
    Case {
        name: "churn",
        about: "clients that connect, join and leave, 32 at a time",
        load: "churn -n 32 -t 2",
        load_each: None,
        figures: &[Figure {
            key: "server_cpu_us_per_cycle",
            label: "server CPU µs per cycle",
        }],
    },
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
}
