//! Counts the events that clients of a room receive, and checks that each client's are whole and in order.

use super::{Client, Clients, Error, Handler, Report, latency::Latencies};
use crate::clock::{SECOND, now_ns};

/// How an emitted event starts; then come `SEQ,"PAYLOAD"]`.
const EVENT: &[u8] = br#"42["msg","#;
/// How one with an attachment for a payload starts.
const BINARY_EVENT: &[u8] = br#"451-["bin","#;

/// Handler of clients that receive numbered events.
#[derive(Debug)]
pub(crate) struct Events {
    /// Events received, by all clients together.
    pub(crate) got: u64,
    /// When the last of them came.
    pub(crate) last: u64,
    /// How late they came, when their payload starts with the time of emitting.
    latencies: Option<Latencies>,
    size: usize,
    skipped: u64,
    reordered: u64,
    malformed: u64,
}

impl Events {
    /// For events with a payload of `size` bytes.
    pub(crate) fn new(size: usize) -> Events {
        Events {
            got: 0,
            last: now_ns(),
            latencies: None,
            size,
            skipped: 0,
            reordered: 0,
            malformed: 0,
        }
    }

    /// For about `count` such events that start with the time of emitting.
    pub(crate) fn stamped(size: usize, count: u64) -> Events {
        let latencies = Some(Latencies::with_capacity(count as usize));
        Events {
            latencies,
            ..Events::new(size)
        }
    }

    /// Sends the command `trigger` and receives until `wanted` events came or none comes any more.
    ///
    /// # Errors
    /// When not a single one came.
    pub(crate) fn receive(
        &mut self,
        clients: &mut Clients,
        trigger: &str,
        wanted: u64,
        stall: u64,
    ) -> Result<(), Error> {
        for client in &mut clients.all {
            client.next_event = 0;
        }
        clients.command(trigger)?;
        self.last = now_ns();
        let mut seen = 0;
        while self.got < wanted {
            clients.poll(self);
            let now = now_ns();
            if self.got > seen {
                (seen, self.last) = (self.got, now);
            } else if now - self.last > stall * SECOND {
                break;
            }
        }
        clients.check()?;
        if self.got == 0 && wanted > 0 {
            Err(Error::Stalled(stall))
        } else {
            Ok(())
        }
    }

    /// What was wrong with the events, of which `wanted` should have come, and how late they were.
    pub(crate) fn report(self, wanted: u64) -> Report {
        let report = Report::default()
            .with("lost", wanted.saturating_sub(self.got) as f64)
            .with("skipped", self.skipped as f64)
            .with("reordered_or_twice", self.reordered as f64)
            .with("malformed", self.malformed as f64);
        report.and(self.latencies.map(Latencies::report).unwrap_or_default())
    }
}

impl Events {
    /// Checks an event's number, and returns what follows it.
    #[inline]
    fn number<'a>(&mut self, client: &mut Client, rest: &'a [u8]) -> &'a [u8] {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at(digits);
        let seq = digits.iter().fold(0u32, |n, digit| {
            n.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
        });
        if seq >= client.next_event {
            self.skipped += u64::from(seq - client.next_event);
            client.next_event = seq.saturating_add(1);
        } else {
            self.reordered += 1;
        }
        rest
    }

    #[inline]
    fn payload(&mut self, payload: &[u8], whole: bool) {
        self.got += 1;
        let stamped = match &mut self.latencies {
            Some(latencies) => latencies.note(payload),
            None => true,
        };
        self.malformed += u64::from(!(whole && stamped));
    }
}

impl Handler for Events {
    #[inline]
    fn message(&mut self, client: &mut Client, packet: &[u8]) {
        self.malformed += u64::from(std::mem::take(&mut client.halfway));
        if let Some(rest) = packet.strip_prefix(EVENT) {
            let rest = self.number(client, rest);
            let whole = rest.len() >= self.size + r#","""#.len();
            self.payload(rest.get(2..).unwrap_or_default(), whole);
        } else if let Some(rest) = packet.strip_prefix(BINARY_EVENT) {
            self.number(client, rest);
            client.halfway = true;
        }
    }

    fn attachment(&mut self, client: &mut Client, bytes: &[u8]) {
        let wanted = std::mem::take(&mut client.halfway);
        self.payload(bytes, wanted && bytes.len() == self.size);
    }
}
