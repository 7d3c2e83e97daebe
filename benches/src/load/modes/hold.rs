//! Clients that stay in a room for long, and are all told something in the end.

use super::super::{
    Clients, Error, Ignore, Options, Report, events::Events, join_bench, meter::Meter,
};
use crate::clock::now_ns;
use clap::Args;
use std::time::Duration;

/// Events of the broadcast at the end, and how many of them in a second.
const EVENTS: u32 = 2;
/// Their payload, in bytes.
const SIZE: usize = 128;

/// CPU time of connections that are only kept, and whether they were.
#[derive(Args, Clone, Debug)]
pub struct Hold {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 19_000)]
    pub clients: usize,
    /// Seconds to hold them (over 25 to see heartbeats).
    #[arg(short = 't', long, default_value_t = 60)]
    pub secs: u64,
}

impl Hold {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, join_bench)?;
        clients.open_all(self.clients)?;
        let meter = Meter::start(options.pid);
        clients.poll_for(&mut Ignore, Duration::from_secs(self.secs));
        // Whoever was lost ends the run: those that are told something below are all that ever came.
        clients.check()?;
        let held = meter.stop(now_ns(), self.clients as u64, "client", "clients");
        let wanted = self.clients as u64 * u64::from(EVENTS);
        let mut counter = Events::new(SIZE);
        let trigger = format!(r#"42["pace",{EVENTS},{SIZE},1,"room"]"#);
        counter.receive(&mut clients, &trigger, wanted, options.stall)?;
        let deliveries = Report::default().with("deliveries", counter.got as f64);
        Ok(held.and(deliveries).and(counter.report(wanted)))
    }
}
