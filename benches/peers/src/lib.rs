//! What the measured peers share: the protocol by hand, the pace, the runtime.

#[path = "../../src/by_hand.rs"]
pub mod by_hand;
#[path = "../../src/clock.rs"]
pub mod clock;

pub mod room;

/// How many small rooms there are, as the load generator has it.
const SEATS: u32 = 10_000;

/// The small room that an event goes to.
pub fn seat(seq: u32) -> u32 {
    seq.wrapping_mul(2_654_435_761) % SEATS
}

use std::{io, net::Ipv4Addr, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime,
    time::Instant,
};

/// A runtime with one worker thread, which is what one pinned core allows.
pub fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// A listener of this machine only, with a queue that holds an avalanche better than the default of 128 does.
pub async fn listener(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(4096)
}

/// Due times of `rate` events per second: waits for each and says its number, `None` at the end.
pub struct Pace {
    began: Instant,
    rate: u32,
    total: u32,
    next: u32,
}

impl Pace {
    pub fn new(rate: u32, secs: u32) -> Pace {
        let rate = rate.max(1);
        Pace {
            began: Instant::now(),
            rate,
            total: rate.saturating_mul(secs),
            next: 0,
        }
    }

    pub async fn next(&mut self) -> Option<u32> {
        let seq = self.next;
        if seq == self.total {
            return None;
        }
        let due = u64::from(seq) * clock::SECOND / u64::from(self.rate);
        tokio::time::sleep_until(self.began + Duration::from_nanos(due)).await;
        self.next += 1;
        Some(seq)
    }
}
