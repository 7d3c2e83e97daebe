//! Reads CPU time and memory around a measured phase.

use super::Report;
use crate::{
    clock::now_ns,
    proc::{Machine, Usage, resident_kib},
};

/// What was read when a phase began.
#[derive(Debug)]
pub(crate) struct Meter {
    server: Option<u32>,
    began: u64,
    server_usage: Usage,
    own_usage: Usage,
    machine: Machine,
}

impl Meter {
    pub(crate) fn start(server: Option<u32>) -> Meter {
        Meter {
            server,
            server_usage: server.map(Usage::of).unwrap_or_default(),
            own_usage: Usage::of(std::process::id()),
            machine: Machine::now(),
            began: now_ns(),
        }
    }

    /// Figures of the phase that ended at `end`, in which `count` things of the named kind happened.
    pub(crate) fn stop(&self, end: u64, count: u64, one: &str, many: &str) -> Report {
        let own = Usage::of(std::process::id()).since(self.own_usage);
        let wall = end.saturating_sub(self.began).max(1) as f64;
        let each = |cpu_ns: u64| cpu_ns as f64 / 1e3 / count.max(1) as f64;
        let report = Report::default()
            .with("wall_s", wall / 1e9)
            .with(many.to_owned(), count as f64)
            .with(format!("{many}_per_s"), count as f64 * 1e9 / wall)
            .with(format!("client_cpu_us_per_{one}"), each(own.cpu_ns));
        let Some(pid) = self.server else {
            return report;
        };
        let server = Usage::of(pid).since(self.server_usage);
        let machine = Machine::now();
        let others = machine
            .busy_ns
            .saturating_sub(self.machine.busy_ns)
            .saturating_sub(server.cpu_ns + own.cpu_ns);
        report
            .with(format!("server_cpu_us_per_{one}"), each(server.cpu_ns))
            .with("server_cpu_percent", server.cpu_ns as f64 * 100.0 / wall)
            .with("server_user_percent", server.user_percent())
            .with(
                "others_cpu_percent",
                others as f64 * 100.0 / wall / machine.processors as f64,
            )
    }
}

/// How the server's memory changes.
#[derive(Debug)]
pub(crate) struct Resident {
    server: Option<u32>,
    before_kib: u64,
}

impl Resident {
    pub(crate) fn now(server: Option<u32>) -> Resident {
        Resident {
            server,
            before_kib: server.map_or(0, resident_kib),
        }
    }

    /// How much it is of what it was, in percent.
    pub(crate) fn percent(&self) -> f64 {
        let now = self.server.map_or(0, resident_kib);
        100.0 * now as f64 / self.before_kib.max(1) as f64
    }

    /// How much it has grown by, in KiB.
    pub(crate) fn growth_kib(&self) -> f64 {
        self.server.map_or(0, resident_kib) as f64 - self.before_kib as f64
    }
}
