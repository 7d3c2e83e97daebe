//! Many events to one room in one go: what a server makes of them when it may send several at once.

use super::super::{
    Clients, Error, Ignore, Options, Report,
    events::Events,
    join_bench,
    meter::{Meter, Resident},
};
use clap::Args;
use std::time::Duration;

/// Events emitted in one loop.
#[derive(Args, Clone, Debug)]
pub struct Burst {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 1000)]
    pub clients: usize,
    /// How many events.
    #[arg(short = 'm', long, default_value_t = 1000)]
    pub events: u32,
    /// Payload bytes of each.
    #[arg(short = 's', long, default_value_t = 64)]
    pub size: usize,
    /// Events of the unmeasured burst before, which warms buffers and allocators.
    #[arg(long, default_value_t = 100)]
    pub warmup: u32,
    /// Seconds to wait at the end for the server to give memory back.
    #[arg(long, default_value_t = 0)]
    pub settle: u64,
}

impl Burst {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let Burst {
            clients: count,
            events,
            size,
            warmup,
            settle,
        } = *self;
        let mut clients = Clients::new(options, join_bench)?;
        clients.open_all(count)?;
        let idle = Resident::now(options.pid);
        let mut burst = |of: u32, counter: &mut Events| {
            let wanted = count as u64 * u64::from(of);
            counter.receive(
                &mut clients,
                &format!(r#"42["blast",{of},{size}]"#),
                wanted,
                options.stall,
            )
        };
        burst(warmup, &mut Events::new(size))?;
        let resident = Resident::now(options.pid);
        let mut counter = Events::new(size);
        let meter = Meter::start(options.pid);
        burst(events, &mut counter)?;
        let figures = meter.stop(counter.last, counter.got, "delivery", "deliveries");
        let mut memory = Report::default().with("rss_growth_kib", resident.growth_kib());
        if settle > 0 {
            clients.poll_for(&mut Ignore, Duration::from_secs(settle));
            clients.check()?;
            memory = memory.with("rss_percent_of_idle", idle.percent());
        }
        Ok(figures
            .and(counter.report(count as u64 * u64::from(events)))
            .and(memory))
    }
}
