//! Clients that do not read, in the same room as those that do.

use super::super::{
    Clients, Error, Options, Report,
    events::Events,
    join_bench,
    meter::{Meter, Resident},
};
use clap::Args;

/// What one of them can hold of what it does not read: a socket buffer of 4 KiB, which the kernel doubles.
const RECEIVE_BUFFER: usize = 4096;

/// Events at a steady rate to a room with members that do not read.
#[derive(Args, Clone, Debug)]
pub struct Slow {
    /// How many clients that read.
    #[arg(short = 'n', long, default_value_t = 200)]
    pub clients: usize,
    /// How many that do not.
    #[arg(short = 'k', long, default_value_t = 50)]
    pub stuck: usize,
    /// Events per second.
    #[arg(short = 'r', long, default_value_t = 20)]
    pub rate: u32,
    /// Payload bytes of each, of which the first 20 are the time of emitting.
    #[arg(short = 's', long, default_value_t = 65536, value_parser = clap::value_parser!(u32).range(20..))]
    pub size: u32,
    /// For how many seconds.
    #[arg(short = 't', long, default_value_t = 6)]
    pub secs: u32,
}

impl Slow {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, join_bench)?;
        clients.receive_buffer = Some(RECEIVE_BUFFER);
        clients.open_all(self.stuck)?;
        clients.receive_buffer = None;
        clients.open_all(self.stuck + self.clients)?;
        for client in &mut clients.all[..self.stuck] {
            client.stuck = true;
        }
        let wanted = self.clients as u64 * u64::from(self.rate) * u64::from(self.secs);
        let mut counter = Events::stamped(self.size as usize, wanted);
        let resident = Resident::now(options.pid);
        let meter = Meter::start(options.pid);
        let (rate, size, secs) = (self.rate, self.size, self.secs);
        let trigger = format!(r#"42["pace",{rate},{size},{secs},"room"]"#);
        counter.receive(&mut clients, &trigger, wanted, options.stall)?;
        let figures = meter.stop(counter.last, counter.got, "delivery", "deliveries");
        let of_the_stuck = Report::default()
            .with("rss_growth_kib", resident.growth_kib())
            .with("cut_off", clients.tally.cut_off as f64);
        Ok(figures.and(of_the_stuck).and(counter.report(wanted)))
    }
}
