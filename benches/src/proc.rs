//! What `/proc` says of a process and of the machine: CPU time and memory.

use std::fs;

/// The kernel's clock tick (`USER_HZ`), in which `/proc` counts.
const TICK_NS: u64 = 10_000_000;

/// CPU time of a process; subtract two readings with [`Usage::since`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time on a CPU of all threads (`schedstat`, in nanoseconds).
    pub cpu_ns: u64,
    /// Time in user space, in clock ticks.
    pub user_ticks: u64,
    /// Time in the kernel, in clock ticks.
    pub system_ticks: u64,
}

impl Usage {
    /// Reads what the process has used so far; nothing for one that is gone.
    pub fn of(pid: u32) -> Usage {
        let threads = fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        let cpu_ns = threads
            .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
            .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
            .sum();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The command, in parentheses, may hold blanks; what follows does not.
        let fields: Vec<&str> = stat
            .rsplit_once(") ")
            .map(|(_, rest)| rest.split(' ').collect())
            .unwrap_or_default();
        let ticks = |at: usize| {
            fields
                .get(at)
                .and_then(|ticks| ticks.parse().ok())
                .unwrap_or(0)
        };
        Usage {
            cpu_ns,
            user_ticks: ticks(11),
            system_ticks: ticks(12),
        }
    }

    /// What was used between two readings.
    #[must_use]
    pub fn since(self, before: Usage) -> Usage {
        Usage {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            user_ticks: self.user_ticks.saturating_sub(before.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(before.system_ticks),
        }
    }

    /// Share of the time spent in user space, in percent.
    pub fn user_percent(self) -> f64 {
        100.0 * self.user_ticks as f64 / (self.user_ticks + self.system_ticks).max(1) as f64
    }
}

/// Resident memory of a process (`VmRSS`) in KiB; zero for one that is gone.
pub fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Busy time of the whole machine, which tells how much of it was neither the server's nor ours: the noise.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Time that all processors together were busy.
    pub busy_ns: u64,
    /// How many processors there are.
    pub processors: usize,
}

impl Machine {
    /// Reads the counters.
    pub fn now() -> Machine {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let mut lines = stat.lines().take_while(|line| line.starts_with("cpu"));
        let ticks: Vec<u64> = lines
            .next()
            .map(|all| {
                all.split_whitespace()
                    .skip(1)
                    .filter_map(|n| n.parse().ok())
                    .collect()
            })
            .unwrap_or_default();
        // user, nice, system, (idle, iowait,) irq, softirq, steal
        let busy = [0, 1, 2, 5, 6, 7]
            .iter()
            .filter_map(|at| ticks.get(*at))
            .sum::<u64>();
        Machine {
            busy_ns: busy * TICK_NS,
            processors: lines.count().max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there() {
        let pid = std::process::id();
        assert!(Usage::of(pid).cpu_ns > 0);
        assert!(resident_kib(pid) > 0);
        assert!(Machine::now().busy_ns > 0);
    }

    #[test]
    fn a_process_that_is_gone_used_nothing() {
        assert_eq!(Usage::of(u32::MAX).cpu_ns, 0);
        assert_eq!(resident_kib(u32::MAX), 0);
    }
}
