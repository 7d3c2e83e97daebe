//! Clients that keep acknowledged requests in flight.

use super::super::{
    Client, Clients, Error, Handler, Options, Report, latency::Latencies, meter::Meter,
    stay_outside,
};
use crate::clock::{SECOND, now_ns};
use clap::Args;
use std::{io::Write, time::Duration};

/// Round trips.
#[derive(Args, Clone, Debug)]
pub struct Echo {
    /// How many clients.
    #[arg(short = 'n', long, default_value_t = 200)]
    pub clients: usize,
    /// Requests that each keeps in flight.
    #[arg(short = 'k', long, default_value_t = 8)]
    pub in_flight: u32,
    /// Payload bytes of each, of which the first 20 are the time of sending.
    #[arg(short = 's', long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(20..))]
    pub size: u32,
    /// For how many seconds, after one of warming up.
    #[arg(short = 't', long, default_value_t = 2)]
    pub secs: u64,
    /// Stop when each client has sent that many requests, with neither warming up nor an end in time.
    #[arg(long, conflicts_with = "secs")]
    pub requests: Option<u32>,
}

impl Echo {
    pub(super) fn run(&self, options: &Options) -> Result<Report, Error> {
        let mut clients = Clients::new(options, stay_outside)?;
        clients.open_all(self.clients)?;
        let mut handler = Echoes {
            size: self.size as usize,
            limit: self.requests.unwrap_or(u32::MAX),
            got: 0,
            malformed: 0,
            latencies: Latencies::default(),
            text: Vec::new(),
        };
        let mut meter = Meter::start(options.pid);
        for client in &mut clients.all {
            for _ in 0..self.in_flight {
                handler.request(client);
            }
        }
        match self.requests {
            Some(each) => {
                let wanted = self.clients as u64 * u64::from(each);
                handler.receive(&mut clients, wanted, options.stall)?;
            }
            None => {
                clients.poll_for(&mut handler, Duration::from_secs(1));
                handler.got = 0;
                handler.latencies.clear();
                meter = Meter::start(options.pid);
                clients.poll_for(&mut handler, Duration::from_secs(self.secs));
            }
        }
        let figures = meter.stop(now_ns(), handler.got, "roundtrip", "roundtrips");
        clients.check()?;
        let malformed = Report::default().with("malformed", handler.malformed as f64);
        Ok(figures.and(malformed).and(handler.latencies.report()))
    }
}

/// Answers each acknowledgement with the next request.
struct Echoes {
    size: usize,
    /// Requests that each client may send.
    limit: u32,
    got: u64,
    malformed: u64,
    latencies: Latencies,
    text: Vec<u8>,
}

impl Echoes {
    fn request(&mut self, client: &mut Client) {
        if client.next_request == self.limit {
            return;
        }
        let id = client.next_request;
        client.next_request += 1;
        let pad = self.size - 20;
        self.text.clear();
        // Writing to memory cannot fail.
        let _ = write!(
            self.text,
            r#"42{id}["echo","{:020}{:x<pad$}"]"#,
            now_ns(),
            ""
        );
        client.send(&self.text);
    }

    fn receive(&mut self, clients: &mut Clients, wanted: u64, stall: u64) -> Result<(), Error> {
        let (mut seen, mut since) = (0, now_ns());
        while self.got + self.malformed < wanted {
            clients.poll(self);
            clients.check()?;
            if self.got > seen {
                (seen, since) = (self.got, now_ns());
            } else if now_ns() - since > stall * SECOND {
                return Err(Error::Stalled(stall));
            }
        }
        Ok(())
    }
}

impl Handler for Echoes {
    /// Expects `43ID["PAYLOAD"]`.
    fn message(&mut self, client: &mut Client, packet: &[u8]) {
        let body = packet
            .strip_prefix(b"43")
            .and_then(|rest| rest.splitn(2, |byte| *byte == b'[').nth(1))
            .filter(|body| body.len() == self.size + r#"""]"#.len());
        match body {
            Some(body) if self.latencies.note(&body[1..]) => self.got += 1,
            _ => self.malformed += 1,
        }
        self.request(client);
    }
}
