//! Clients that join and leave a room as fast as they can, beside those that hear its events.

use super::super::{
    Client, Clients, Error, Handler, Options, Report, events::Events, join_bench, meter::Meter,
};
use crate::clock::now_ns;
use clap::Args;

/// Events at a steady rate to a room that others join and leave all the time.
#[derive(Args, Clone, Debug)]
pub struct Storm {
    /// How many clients that stay in the room.
    #[arg(short = 'n', long, default_value_t = 1000)]
    pub clients: usize,
    /// How many that come and go: each asks for the next `hop` when the one before is acknowledged.
    #[arg(short = 'k', long, default_value_t = 16)]
    pub hoppers: usize,
    /// Events per second.
    #[arg(short = 'r', long, default_value_t = 20)]
    pub rate: u32,
    /// Payload bytes of each, of which the first 20 are the time of emitting.
    #[arg(short = 's', long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(20..))]
    pub size: u32,
    /// For how many seconds.
    #[arg(short = 't', long, default_value_t = 4)]
    pub secs: u32,
}

impl Storm {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let members = self.clients;
        let entry = move |client| {
            if client < members {
                join_bench(client)
            } else {
                None
            }
        };
        let mut clients = Clients::new(options, entry)?;
        clients.open_all(members + self.hoppers)?;
        let wanted = members as u64 * u64::from(self.rate) * u64::from(self.secs);
        let mut storm = Stormy {
            members: members as u32,
            hops: 0,
            events: Events::stamped(self.size as usize, wanted),
        };
        let (rate, size, secs) = (self.rate, self.size, self.secs);
        let meter = Meter::start(options.pid);
        clients.command(&format!(r#"42["pace",{rate},{size},{secs},"room"]"#))?;
        for client in &mut clients.all[members..members + self.hoppers] {
            hop(client);
        }
        let mut progress = (0, now_ns());
        while storm.events.got < wanted {
            clients.poll(&mut storm);
            if storm.events.got > progress.0 {
                progress = (storm.events.got, now_ns());
            } else if now_ns() - progress.1 > options.stall * crate::clock::SECOND {
                break;
            }
        }
        clients.check()?;
        let figures = meter.stop(now_ns(), storm.hops, "hop", "hops");
        let deliveries = Report::default().with("deliveries", storm.events.got as f64);
        Ok(figures.and(deliveries).and(storm.events.report(wanted)))
    }
}

struct Stormy {
    members: u32,
    hops: u64,
    events: Events,
}

fn hop(client: &mut Client) {
    let id = client.next_request;
    client.next_request += 1;
    client.send(format!(r#"42{id}["hop"]"#).as_bytes());
}

impl Handler for Stormy {
    fn message(&mut self, client: &mut Client, packet: &[u8]) {
        if client.index < self.members {
            self.events.message(client, packet);
        } else if packet.starts_with(b"43") {
            // Events may reach it while it is in; they are not what it is here for.
            self.hops += 1;
            hop(client);
        }
    }
}
