//! Clients that connect and say nothing.

use super::super::{
    Clients, Error, Ignore, Options, Report,
    meter::{Meter, Resident},
    stay_outside,
};
use crate::clock::now_ns;
use clap::Args;
use std::time::Duration;

/// Memory and CPU time of connections that only exist.
#[derive(Args, Clone, Debug)]
pub struct Idle {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 10_000)]
    pub clients: usize,
    /// Seconds to idle before memory is read (over 25 to see heartbeats).
    #[arg(short = 't', long, default_value_t = 2)]
    pub secs: u64,
    /// The clients poll.
    #[arg(long)]
    pub polling: bool,
}

impl Idle {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let count = self.clients as u64;
        let mut clients = Clients::new(options, stay_outside)?;
        if self.polling {
            clients.poll_with_requests();
        }
        let resident = Resident::now(options.pid);
        let opening = Meter::start(options.pid);
        clients.open_all(self.clients)?;
        let opened = opening.stop(now_ns(), count, "connect", "connects");
        let idling = Meter::start(options.pid);
        clients.poll_for(&mut Ignore, Duration::from_secs(self.secs));
        let idled = idling.stop(now_ns(), count, "connection", "connections");
        clients.check()?;
        let report = Report::default()
            .with(
                "rss_kib_per_connection",
                resident.growth_kib() / count.max(1) as f64,
            )
            .with(
                "idle_cpu_percent",
                idled.get("server_cpu_percent").unwrap_or(0.0),
            );
        Ok(report.and(opened))
    }
}
