//! Clients on bad networks: each is cut now and then, and comes back a little later, while events flow.

use super::super::{
    Client, Clients, Error, Handler, Options, Report, State, join_bench, meter::Meter,
};
use crate::clock::{SECOND, now_ns};
use clap::Args;
use std::borrow::Cow;

/// How long a client stays away, in milliseconds: what the official client's delay comes to with a short first attempt.
const AWAY_MS: std::ops::Range<u64> = 100..1000;

/// Events at a steady rate to clients that come and go.
#[derive(Args, Clone, Debug)]
pub struct Jitter {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 2000)]
    pub clients: usize,
    /// Events per second.
    #[arg(short = 'r', long, default_value_t = 10)]
    pub rate: u32,
    /// Payload bytes of each.
    #[arg(short = 's', long, default_value_t = 128)]
    pub size: u32,
    /// For how many seconds.
    #[arg(short = 't', long, default_value_t = 10)]
    pub secs: u32,
    /// Seconds between two cuts of one client, on average.
    #[arg(long, default_value_t = 5)]
    pub every: u64,
    /// Ask for what was missed, as a client does whose server offers connection state recovery.
    #[arg(long)]
    pub recover: bool,
}

impl Jitter {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, join_bench)?;
        let mut missed = Missed {
            recover: self.recover,
            seen: vec![Seen::default(); self.clients + 1],
            ..Missed::default()
        };
        clients.open_all_with(self.clients, &mut missed)?;
        let (rate, size, secs) = (self.rate, self.size, self.secs);
        let meter = Meter::start(options.pid);
        clients.command(&format!(r#"42["pace",{rate},{size},{secs},"room"]"#))?;
        let (began, mut random) = (now_ns(), Random(0x9e37_79b9_7f4a_7c15));
        let mut due: Vec<u64> = (0..self.clients)
            .map(|_| began + random.below(2 * self.every.max(1) * SECOND))
            .collect();
        let mut cuts = 0_u64;
        let end = began + u64::from(secs) * SECOND;
        // Those that are away at the end come back, and may ask for what they have missed: until nothing comes any more.
        let (mut progress, mut since) = (0, now_ns());
        while now_ns() < end.max(since) + 3 * SECOND {
            clients.poll(&mut missed);
            let now = now_ns();
            if missed.got > progress {
                (progress, since) = (missed.got, now);
            }
            for (i, due) in due.iter_mut().enumerate().filter(|(_, due)| **due <= now) {
                if clients.all[i].state() == State::Free {
                    clients.reopen(i);
                    *due = now + random.below(2 * self.every.max(1) * SECOND);
                } else if now < end {
                    cuts += 1;
                    clients.cut(i);
                    let away = AWAY_MS.start + random.below(AWAY_MS.end - AWAY_MS.start);
                    *due = now + away * SECOND / 1000;
                }
            }
        }
        let wanted = self.clients as u64 * u64::from(rate) * u64::from(secs);
        let total = rate * secs;
        let at_the_end = clients
            .all
            .iter()
            .filter(|client| client.state() == State::Ready);
        let lost = missed.lost
            + at_the_end
                .map(|client| missed.owed(client, total))
                .sum::<u64>();
        let got = missed.got;
        let figures = meter.stop(now_ns(), got, "delivery", "deliveries");
        Ok(figures
            .with("arrived_percent", 100.0 * got as f64 / wanted.max(1) as f64)
            .with("cuts", cuts as f64)
            .with("lost", lost as f64)
            .with("recovered", missed.recovered as f64)
            .with("new_again", missed.renewed as f64)
            .with("reordered_or_twice", missed.reordered as f64)
            .with("failed_attempts", clients.tally.failed as f64))
    }
}

/// What each client has seen, over all its connections.
#[derive(Default)]
struct Missed {
    recover: bool,
    seen: Vec<Seen>,
    got: u64,
    reordered: u64,
    /// Events that did not come, of clients that were not told.
    lost: u64,
    recovered: u64,
    renewed: u64,
}

#[derive(Clone, Default)]
struct Seen {
    next: u32,
    /// In a session that has had an event: from there on, each has to come. What a new session begins with is not known.
    hears: bool,
    /// What a recovery is asked for with: the private id of the session, and the offset of the last event.
    private_id: Box<str>,
    offset: Box<str>,
}

impl Missed {
    /// How many of `total` events are still to come.
    fn owed(&self, client: &Client, total: u32) -> u64 {
        let seen = self.seen.get(client.index as usize);
        seen.filter(|seen| seen.hears)
            .map_or(0, |seen| u64::from(total.saturating_sub(seen.next)))
    }

    /// `42["msg",SEQ,"PAYLOAD"]`, with an offset at its end where the server offers recovery.
    fn event(&mut self, client: &Client, packet: &[u8]) {
        let Some(seen) = self.seen.get_mut(client.index as usize) else {
            return;
        };
        let Some(rest) = packet.strip_prefix(br#"42["msg","#) else {
            return;
        };
        let Some((seq, offset)) = std::str::from_utf8(rest).ok().and_then(|rest| {
            let (seq, rest) = rest.split_once(',')?;
            let mut words = rest.trim_end_matches(']').split(',').skip(1);
            Some((
                seq.parse::<u32>().ok()?,
                words.next().map(|word| word.trim_matches('"')),
            ))
        }) else {
            return;
        };
        if seq >= seen.next {
            self.got += 1;
            if seen.hears {
                self.lost += u64::from(seq - seen.next);
            }
            (seen.next, seen.hears) = (seq + 1, true);
        } else {
            self.reordered += 1;
        }
        if let Some(offset) = offset.filter(|_| self.recover) {
            seen.offset = offset.into();
        }
    }
}

impl Handler for Missed {
    fn message(&mut self, client: &mut Client, packet: &[u8]) {
        self.event(client, packet);
    }

    fn early(&mut self, client: &mut Client, packet: &[u8]) {
        self.event(client, packet);
    }

    fn hello(&mut self, client: &Client) -> Cow<'static, [u8]> {
        match self.seen.get(client.index as usize) {
            Some(Seen {
                private_id, offset, ..
            }) if !offset.is_empty() => Cow::Owned(
                format!(r#"40{{"pid":"{private_id}","offset":"{offset}"}}"#).into_bytes(),
            ),
            _ => Cow::Borrowed(b"40"),
        }
    }

    fn welcome(&mut self, client: &mut Client, packet: &[u8]) {
        let Some(seen) = self.seen.get_mut(client.index as usize) else {
            return;
        };
        let Ok(welcome) = serde_json::from_slice::<serde_json::Value>(&packet[2..]) else {
            return;
        };
        let private_id = welcome["pid"].as_str().unwrap_or_default();
        if self.recover && !seen.private_id.is_empty() && *seen.private_id == *private_id {
            self.recovered += 1;
        } else {
            self.renewed += u64::from(seen.next > 0);
            // Its offset stays, as with the official client.
            seen.hears = false;
        }
        seen.private_id = private_id.into();
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
