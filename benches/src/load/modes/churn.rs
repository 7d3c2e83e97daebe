//! Clients that come and go.

use super::super::{
    Client, Clients, Error, Handler, Options, Report, join_bench,
    meter::{Meter, Resident},
};
use crate::clock::{SECOND, now_ns};
use clap::Args;

/// Connect, join the room, close: over and over.
#[derive(Args, Clone, Debug)]
pub struct Churn {
    /// Cycles under way at a time.
    #[arg(short = 'n', long, default_value_t = 32)]
    pub clients: usize,
    /// For how many seconds, after one of warming up.
    #[arg(short = 't', long, default_value_t = 2)]
    pub secs: u64,
}

impl Churn {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, join_bench)?;
        let mut churn = |secs: u64| {
            let (closed, end) = (clients.tally.closed, now_ns() + secs * SECOND);
            while now_ns() < end && clients.tally.failed == 0 {
                clients.keep_open(self.clients);
                clients.poll(&mut Leave);
            }
            clients
                .check()
                .map(|()| (clients.tally.closed - closed) as u64)
        };
        churn(1)?;
        let resident = Resident::now(options.pid);
        let meter = Meter::start(options.pid);
        let cycles = churn(self.secs)?;
        let figures = meter.stop(now_ns(), cycles, "cycle", "cycles");
        Ok(figures.and(Report::default().with("rss_growth_kib", resident.growth_kib())))
    }
}

/// Closes each client as soon as it is in the room.
struct Leave;

impl Handler for Leave {
    fn ready(&mut self, client: &mut Client) {
        client.close();
    }

    fn message(&mut self, _client: &mut Client, _packet: &[u8]) {}
}
