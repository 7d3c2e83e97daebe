//! Events at a steady rate, slow enough that each is sent on its own: what one delivery costs.

use super::super::{Clients, Error, Options, Report, events::Events, meter::Meter};
use crate::protocol::{To, entry};
use clap::Args;

/// Events emitted at a steady rate.
#[derive(Args, Clone, Debug)]
pub struct Paced {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 1000)]
    pub clients: usize,
    /// Events per second.
    #[arg(short = 'r', long, default_value_t = 20)]
    pub rate: u32,
    /// Payload bytes of each, of which the first 20 are the time of emitting.
    #[arg(short = 's', long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(20..))]
    pub size: u32,
    /// For how many seconds.
    #[arg(short = 't', long, default_value_t = 4)]
    pub secs: u32,
    /// To whom.
    #[arg(long, value_enum, default_value_t = To::Room)]
    pub to: To,
    /// The clients poll.
    #[arg(long)]
    pub polling: bool,
}

impl Paced {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let Paced {
            clients: count,
            rate,
            size,
            to,
            ..
        } = *self;
        let wanted = |secs: u32| u64::from(rate) * u64::from(secs) * to.recipients(count);
        let mut clients = Clients::new(options, entry(to, count))?;
        if self.polling {
            clients.poll_with_requests();
        }
        clients.open_all(count)?;
        let mut pace = |secs: u32, counter: &mut Events| {
            let trigger = format!(r#"42["pace",{rate},{size},{secs},"{to}"]"#);
            counter.receive(&mut clients, &trigger, wanted(secs), options.stall)
        };
        // One second first, for the sake of compilers at run time, allocators and socket buffers.
        pace(1, &mut Events::new(size as usize))?;
        let mut counter = Events::stamped(size as usize, wanted(self.secs));
        let meter = Meter::start(options.pid);
        pace(self.secs, &mut counter)?;
        let figures = meter.stop(counter.last, counter.got, "delivery", "deliveries");
        Ok(figures.and(counter.report(wanted(self.secs))))
    }
}
