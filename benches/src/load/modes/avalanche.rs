//! All clients are cut at once, and come back at once.

use super::super::{
    Client, Clients, Error, Handler, Options, Report, join_bench,
    latency::Latencies,
    meter::{Meter, Resident},
};
use crate::clock::{SECOND, now_ns};
use clap::Args;

/// When the share of those that are back is taken, in seconds.
const LOOKS: [u64; 3] = [1, 5, 10];

/// A network that fails for everybody at the same moment.
#[derive(Args, Clone, Debug)]
pub struct Avalanche {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 15_000)]
    pub clients: usize,
    /// Seconds after which those that are not back are given up.
    #[arg(short = 't', long, default_value_t = 30)]
    pub secs: u64,
}

impl Avalanche {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, join_bench)?;
        clients.open_all(self.clients)?;
        let resident = Resident::now(options.pid);
        let meter = Meter::start(options.pid);
        let cut = now_ns();
        clients.cut_all();
        let mut back = Back {
            cut,
            delays: Vec::with_capacity(self.clients),
        };
        let mut peak_kib = 0.0_f64;
        let mut look = cut;
        while back.delays.len() < self.clients && now_ns() - cut < self.secs * SECOND {
            // One that fails tries again, as the official client does.
            clients.keep_open(self.clients);
            clients.poll(&mut back);
            if now_ns() > look {
                peak_kib = peak_kib.max(resident.growth_kib());
                look = now_ns() + SECOND / 10;
            }
        }
        let mut report = meter.stop(now_ns(), back.delays.len() as u64, "return", "returns");
        for secs in LOOKS {
            let by_then = back
                .delays
                .iter()
                .filter(|delay| **delay <= secs * SECOND)
                .count();
            let share = 100.0 * by_then as f64 / self.clients.max(1) as f64;
            report = report.with(format!("back_after_{secs}s_percent"), share);
        }
        let cpu = report.get("server_cpu_us_per_return").unwrap_or(0.0);
        report = report
            .with("lost", (self.clients - back.delays.len()) as f64)
            .with("failed_attempts", clients.tally.failed as f64)
            .with("rss_growth_kib", peak_kib)
            .with("server_cpu_s", cpu * back.delays.len() as f64 / 1e6);
        Ok(report.and(Latencies::from(back.delays).report()))
    }
}

struct Back {
    cut: u64,
    /// How long after the cut each was in the room again.
    delays: Vec<u64>,
}

impl Handler for Back {
    fn ready(&mut self, _client: &mut Client) {
        self.delays.push(now_ns() - self.cut);
    }

    fn message(&mut self, _client: &mut Client, _packet: &[u8]) {}
}
