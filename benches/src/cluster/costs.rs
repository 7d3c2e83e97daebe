//! CPU time of all who have a part in a broadcast.

use crate::{
    clock::now_ns,
    load::Report,
    proc::{Machine, Usage},
};

/// What was read before the broadcasts.
#[derive(Debug)]
pub(super) struct Costs {
    servers: Vec<(u32, Usage)>,
    engine: Option<(u32, Usage)>,
    own: Usage,
    machine: Machine,
    began: u64,
}

/// What was used meanwhile, in nanoseconds.
#[derive(Debug)]
struct Used {
    servers: Vec<u64>,
    engine: Option<u64>,
    /// By the load generator.
    own: u64,
    /// By all processors, and how many there are.
    machine: u64,
    processors: usize,
    wall: u64,
}

impl Costs {
    /// The first server emits.
    pub(super) fn begin(servers: impl Iterator<Item = u32>, engine: Option<u32>) -> Costs {
        let read = |pid| (pid, Usage::of(pid));
        Costs {
            servers: servers.map(read).collect(),
            engine: engine.map(read),
            own: Usage::of(std::process::id()),
            machine: Machine::now(),
            began: now_ns(),
        }
    }

    /// What each of so many broadcasts has cost. The first `without` servers have no members of the room.
    pub(super) fn end(self, broadcasts: u32, without: usize) -> Report {
        let since = |(pid, before)| Usage::of(pid).since(before).cpu_ns;
        let machine = Machine::now();
        let used = Used {
            wall: now_ns() - self.began,
            servers: self.servers.into_iter().map(since).collect(),
            engine: self.engine.map(since),
            own: Usage::of(std::process::id()).since(self.own).cpu_ns,
            machine: machine.busy_ns.saturating_sub(self.machine.busy_ns),
            processors: machine.processors,
        };
        used.report(broadcasts, without)
    }
}

impl Used {
    fn report(&self, broadcasts: u32, without: usize) -> Report {
        let each = |ns: f64| ns / 1e3 / f64::from(broadcasts.max(1));
        let mean = |servers: &[u64]| match servers {
            [] => None,
            some => Some(each(some.iter().sum::<u64>() as f64 / some.len() as f64)),
        };
        // Whether or not it has members, the first one has more to do.
        let bystanders = self.servers.get(1..without).unwrap_or_default();
        let receivers = self.servers.get(without.max(1)..).unwrap_or_default();
        let figures = [
            (
                "emitter_cpu_us",
                mean(self.servers.get(..1).unwrap_or_default()),
            ),
            ("receiver_cpu_us", mean(receivers)),
            ("bystander_cpu_us", mean(bystanders)),
            ("engine_cpu_us", self.engine.map(|ns| each(ns as f64))),
        ];
        let ours = self.servers.iter().sum::<u64>() + self.engine.unwrap_or(0) + self.own;
        let others = self.machine.saturating_sub(ours) as f64;
        let mut report = Report::default().with(
            "others_cpu_percent",
            100.0 * others / self.wall.max(1) as f64 / self.processors as f64,
        );
        for (name, figure) in figures {
            if let Some(figure) = figure {
                report = report.with(name, figure);
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share() {
        let used = Used {
            servers: vec![4_000_000, 100_000, 300_000, 1_000_000],
            engine: Some(2_000_000),
            own: 600_000,
            machine: 10_000_000,
            processors: 2,
            wall: 10_000_000,
        };
        let shares = |without| {
            let report = used.report(100, without);
            let names = ["emitter", "receiver", "bystander", "engine"];
            names.map(|name| report.get(&format!("{name}_cpu_us")))
        };
        assert_eq!(shares(3), [Some(40.0), Some(10.0), Some(2.0), Some(20.0)]);
        assert_eq!(shares(2), [Some(40.0), Some(6.5), Some(1.0), Some(20.0)]);
        let all = Some(4.667);
        assert_eq!(shares(0), [Some(40.0), all, None, Some(20.0)]);
        assert_eq!(shares(1), [Some(40.0), all, None, Some(20.0)]);
        assert_eq!(used.report(100, 0).get("others_cpu_percent"), Some(10.0));
    }

    #[test]
    fn a_server_that_is_alone_has_no_engine() {
        let used = Used {
            servers: vec![1_000_000],
            engine: None,
            own: 0,
            machine: 0,
            processors: 1,
            wall: 1,
        };
        let report = used.report(1_000, 0);
        assert_eq!(report.get("emitter_cpu_us"), Some(1.0));
        assert_eq!(report.get("receiver_cpu_us"), None);
        assert_eq!(report.get("engine_cpu_us"), None);
    }
}
