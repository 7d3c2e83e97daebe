//! Clients of several servers that are joined: events of the first one, and how late they are on it and on the others.

use super::{Client, Clients, Error, Handler, Options, Report, events::Events, stay_outside};
use crate::clock::{SECOND, now_ns};
use std::{net::SocketAddrV4, time::Duration};

/// Clients of several servers, as many of each. Their commands go to the first server, which emits.
pub struct Joined {
    clients: Clients,
    servers: usize,
    /// How many clients each server has.
    each: usize,
    /// The servers whose clients are in the room.
    members: Vec<usize>,
    stall: u64,
}

/// How long events may take until they find their way for the first time, and how long one is waited for.
const ROUNDS: u32 = 50;
const ROUND: Duration = Duration::from_millis(100);

impl Joined {
    /// Opens `each` clients of each server, in no room.
    ///
    /// # Errors
    /// When they do not all get in.
    pub fn open(
        options: &Options,
        servers: Vec<SocketAddrV4>,
        each: usize,
    ) -> Result<Joined, Error> {
        let mut clients = Clients::new(options, stay_outside)?;
        let count = servers.len();
        clients.spread_over(servers);
        clients.open_all(count * each)?;
        Ok(Joined {
            clients,
            servers: count,
            each,
            members: Vec::new(),
            stall: options.stall,
        })
    }

    /// Has the clients of this server join the room, and waits until they hear what is emitted there.
    ///
    /// # Errors
    /// When they don't.
    pub fn join(&mut self, server: usize) -> Result<(), Error> {
        let mut answers = Answers(0);
        for client in server_clients(&mut self.clients.all, self.servers, self.each, server) {
            client.send(br#"420["join"]"#);
        }
        let began = now_ns();
        while answers.0 < self.each {
            self.clients.poll(&mut answers);
            if now_ns() - began > self.stall * SECOND {
                return Err(Error::Stalled(self.stall));
            }
        }
        self.members.push(server);
        // Some adapters do not tell when the others know of a room.
        for _ in 0..ROUNDS {
            let mut sides = self.sides(0);
            self.clients.command(r#"42["blast",1,0]"#)?;
            let began = now_ns();
            while sides.got() < self.recipients() && now_ns() - began < ROUND.as_nanos() as u64 {
                self.clients.poll(&mut sides);
            }
            if sides.got() >= self.recipients() {
                // What was late in an earlier round must not be counted later.
                self.clients.poll_for(&mut sides, ROUND);
                return self.clients.check();
            }
        }
        Err(Error::Stalled(u64::from(ROUNDS) * ROUND.as_secs().max(1)))
    }

    /// Has so many events of so many bytes emitted at once.
    ///
    /// # Errors
    /// When clients are lost, or none hears anything.
    pub fn blast(&mut self, events: u32, size: usize) -> Result<Report, Error> {
        let mut sides = self.sides(size);
        self.receive(
            &mut sides,
            &format!(r#"42["blast",{events},{size}]"#),
            events,
        )?;
        Ok(sides.report(self.wanted(events)))
    }

    /// Has events emitted at a steady rate, and tells how late they were.
    ///
    /// # Errors
    /// When clients are lost, or none hears anything.
    pub fn pace(&mut self, rate: u32, size: usize, secs: u32) -> Result<Report, Error> {
        let events = rate * secs;
        let mut sides = self.sides(size);
        let [own, others] = self.wanted(events);
        sides.own = Events::stamped(size, own);
        sides.others = Events::stamped(size, others);
        self.receive(
            &mut sides,
            &format!(r#"42["pace",{rate},{size},{secs},"room"]"#),
            events,
        )?;
        Ok(sides.report([own, others]))
    }

    fn receive(&mut self, sides: &mut Sides, command: &str, events: u32) -> Result<(), Error> {
        for client in &mut self.clients.all {
            client.next_event = 0;
        }
        self.clients.command(command)?;
        let wanted = self.recipients() * u64::from(events);
        let (mut seen, mut last) = (0, now_ns());
        while sides.got() < wanted {
            self.clients.poll(sides);
            let now = now_ns();
            if sides.got() > seen {
                (seen, last) = (sides.got(), now);
            } else if now - last > self.stall * SECOND {
                break;
            }
        }
        self.clients.check()?;
        match sides.got() {
            0 => Err(Error::Stalled(self.stall)),
            _ => Ok(()),
        }
    }

    fn sides(&self, size: usize) -> Sides {
        Sides {
            servers: self.servers,
            own: Events::new(size),
            others: Events::new(size),
        }
    }

    /// How many clients get one event.
    fn recipients(&self) -> u64 {
        (self.members.len() * self.each) as u64
    }

    /// How many events the clients of the first server get, and those of the others.
    fn wanted(&self, events: u32) -> [u64; 2] {
        let own = match self.members.contains(&0) {
            true => self.each as u64,
            false => 0,
        };
        [own, self.recipients() - own].map(|clients| clients * u64::from(events))
    }
}

/// The clients of one server, of all that were opened in turn.
fn server_clients(
    all: &mut [Client],
    servers: usize,
    each: usize,
    server: usize,
) -> impl Iterator<Item = &mut Client> {
    all.iter_mut()
        .take(servers * each)
        .skip(server)
        .step_by(servers)
}

/// Counts answered requests.
struct Answers(usize);

impl Handler for Answers {
    fn message(&mut self, _client: &mut Client, packet: &[u8]) {
        self.0 += usize::from(packet.starts_with(b"430["));
    }
}

/// What the clients of the emitting server get, and what those of the others do.
struct Sides {
    servers: usize,
    own: Events,
    others: Events,
}

impl Sides {
    fn got(&self) -> u64 {
        self.own.got + self.others.got
    }

    /// What was wrong with the events, how late they were, and how much later on the other servers.
    fn report(self, [own, others]: [u64; 2]) -> Report {
        let got = self.got();
        let (here, there) = (self.own.report(own), self.others.report(others));
        let mut report = Report::default().with("deliveries", got as f64);
        for wrong in ["lost", "skipped", "reordered_or_twice", "malformed"] {
            let both = [&here, &there].map(|side| side.get(wrong).unwrap_or_default());
            report = report.with(wrong, both.iter().sum());
        }
        for quantile in ["p50_ms", "p99_ms"] {
            let of = |side: &Report, clients| side.get(quantile).filter(|_| clients > 0);
            let (here, there) = (of(&here, own), of(&there, others));
            let added = here.zip(there).map(|(here, there)| there - here);
            for (what, figure) in [("own", here), ("others", there), ("added", added)] {
                if let Some(figure) = figure {
                    report = report.with(format!("{what}_{quantile}"), figure);
                }
            }
        }
        report
    }
}

impl Handler for Sides {
    fn message(&mut self, client: &mut Client, packet: &[u8]) {
        match client.index as usize % self.servers {
            0 => self.own.message(client, packet),
            _ => self.others.message(client, packet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of six clients of three servers gets: an event that was emitted so many milliseconds ago.
    fn sides(late: [Option<u64>; 6]) -> Report {
        let mut sides = Sides {
            servers: 3,
            own: Events::stamped(20, 2),
            others: Events::stamped(20, 4),
        };
        for (index, late) in late.into_iter().enumerate() {
            let Some(late) = late else { continue };
            let mut client = Client::free(index);
            let emitted = now_ns() - late * 1_000_000;
            let event = format!(r#"42["msg",0,"{emitted:020}"]"#);
            sides.message(&mut client, event.as_bytes());
        }
        sides.report([2, 4])
    }

    #[test]
    fn lateness_is_told_apart_by_server() {
        let report = sides([10, 40, 40, 10, 40, 40].map(Some));
        assert_eq!(report.get("deliveries"), Some(6.0));
        assert_eq!(report.get("lost"), Some(0.0));
        let near = |key, wanted: f64| {
            let found = report.get(key).expect(key);
            assert!((found - wanted).abs() < 5.0, "{key}: {found}");
        };
        near("own_p50_ms", 10.0);
        near("others_p50_ms", 40.0);
        near("added_p50_ms", 30.0);
    }

    #[test]
    fn what_does_not_come_is_lost_on_either_side() {
        let report = sides([None, None, Some(1), Some(1), Some(1), Some(1)]);
        assert_eq!(report.get("lost"), Some(2.0));
    }

    #[test]
    fn clients_are_spread_over_the_servers_in_turn() {
        // The last one gives commands, and is of no server's.
        let mut all: Vec<_> = (0..7).map(Client::free).collect();
        let mut of = |server| -> Vec<u32> {
            server_clients(&mut all, 3, 2, server)
                .map(|client| client.index)
                .collect()
        };
        assert_eq!([of(0), of(1), of(2)], [[0, 3], [1, 4], [2, 5]]);
    }
}
