use super::after;
use std::time::{Duration, Instant};

/// The heartbeat of one connection.
///
/// In Engine.IO 4 the server asks and the client answers: a ping is due an interval after the opening and after each pong,
/// whatever else goes over the connection, and from each ping on the client has a timeout to answer. In Engine.IO 3 the client
/// asks: it has an interval and a timeout from the opening and from each of its pings to the next.
///
/// Whoever drives this calls [`on_deadline`](Self::on_deadline) at or after
/// each [`deadline`](Self::deadline), and may do so early or late: lateness never shortens the client's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    state: State,
    /// We are not reading, so the client cannot be blamed for what we do not see.
    paused: bool,
}

/// What a deadline asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing is due yet.
    Nothing,
    /// A ping is to be sent.
    SendPing,
    /// The client did not answer in time, or did not ask. The heart has stopped: no deadline follows.
    TimedOut,
}

/// In the extended states, a packet other than the pong has already bought the client more time.
#[derive(Clone, Copy, Debug)]
enum State {
    Resting {
        ping_at: Instant,
    },
    Awaiting {
        until: Instant,
        extended: bool,
    },
    /// Awaiting a pong while paused. Pings go on: the client expects them, and writing is how we notice that it is gone.
    Stopped {
        /// Milliseconds: this is part of every connection.
        left: u32,
        extended: bool,
        ping_at: Instant,
    },
    /// It is the client that pings, and it has until then.
    Listening {
        until: Instant,
    },
    /// That, while paused. Nothing is due: what there is to be heard is not looked at.
    Deaf {
        /// Milliseconds.
        left: u32,
    },
    TimedOut,
}

impl Heartbeat {
    /// Starts when the connection opens, for a client that pings.
    pub(crate) fn of_client(interval: Duration, timeout: Duration, now: Instant) -> Self {
        let heartbeat = Self::new(interval, timeout, now);
        let until = after(now, heartbeat.patience());
        Self {
            state: State::Listening { until },
            ..heartbeat
        }
    }

    /// Starts when the connection opens, for a client that is pinged.
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        let ping_at = after(now, interval);
        Self {
            interval,
            timeout,
            state: State::Resting { ping_at },
            paused: false,
        }
    }

    /// Tells whether a packet other than the pong would change anything, so that most of them need no look at the clock.
    pub(crate) fn can_be_extended(&self) -> bool {
        matches!(
            self.state,
            State::Awaiting {
                extended: false,
                ..
            } | State::Stopped {
                extended: false,
                ..
            }
        )
    }

    /// Returns when to call [`on_deadline`](Self::on_deadline), if there is anything to wait for but the client.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Resting { ping_at } | State::Stopped { ping_at, .. } => Some(ping_at),
            State::Awaiting { until, .. } | State::Listening { until } => Some(until),
            State::Deaf { .. } | State::TimedOut => None,
        }
    }

    /// Does what is due by `now`.
    pub(crate) fn on_deadline(&mut self, now: Instant) -> Beat {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Beat::Nothing;
        }
        match &mut self.state {
            State::Resting { .. } => {
                self.state = self.awaiting(now, false);
                Beat::SendPing
            }
            State::Stopped { ping_at, .. } => {
                *ping_at = after(now, self.interval);
                Beat::SendPing
            }
            State::Awaiting { .. }
            | State::Listening { .. }
            | State::Deaf { .. }
            | State::TimedOut => {
                self.state = State::TimedOut;
                Beat::TimedOut
            }
        }
    }

    /// Takes the ping of a client that is the one to ping.
    pub(crate) fn on_ping(&mut self, now: Instant) {
        match self.state {
            State::Listening { .. } => {
                let until = after(now, self.patience());
                self.state = State::Listening { until };
            }
            State::Deaf { .. } => {
                let left = milliseconds(self.patience());
                self.state = State::Deaf { left };
            }
            _ => {}
        }
    }

    /// Takes a pong. One that was not asked for counts too, and postpones the next ping.
    pub(crate) fn on_pong(&mut self, now: Instant) {
        if !matches!(self.state, State::TimedOut) {
            let ping_at = after(now, self.interval);
            self.state = State::Resting { ping_at };
        }
    }

    /// Takes any other packet. The first one after a ping shows that the client is there, its pong perhaps queued behind
    /// a large upload, and restarts the timeout; only the first, so that a client that never answers does end.
    pub(crate) fn on_packet(&mut self, now: Instant) {
        match self.state {
            State::Awaiting { extended, .. } | State::Stopped { extended, .. } if !extended => {
                self.state = self.awaiting(now, true);
            }
            _ => {}
        }
    }

    /// Stops the client's time while we do not read. Pings are still sent, one each interval: we do not see the pongs, but
    /// the client waits for the pings, and one to a client that is gone breaks the connection.
    pub(crate) fn pause(&mut self, now: Instant) {
        self.paused = true;
        match self.state {
            State::Awaiting { until, extended } => {
                self.state = State::Stopped {
                    left: milliseconds(until.saturating_duration_since(now)),
                    extended,
                    ping_at: after(now, self.interval),
                };
            }
            State::Listening { until } => {
                let left = milliseconds(until.saturating_duration_since(now));
                self.state = State::Deaf { left };
            }
            _ => {}
        }
    }

    /// Gives the client the time that it had left, now that we read again.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.paused = false;
        let by = |left: u32| after(now, Duration::from_millis(left.into()));
        match self.state {
            State::Stopped { left, extended, .. } => {
                let until = by(left);
                self.state = State::Awaiting { until, extended };
            }
            State::Deaf { left } => self.state = State::Listening { until: by(left) },
            _ => {}
        }
    }

    /// How long a client that pings may be silent.
    fn patience(&self) -> Duration {
        self.interval.saturating_add(self.timeout)
    }

    /// Gives the client its whole timeout: running, or while paused, in store.
    fn awaiting(&self, now: Instant, extended: bool) -> State {
        if self.paused {
            State::Stopped {
                left: milliseconds(self.timeout),
                extended,
                ping_at: after(now, self.interval),
            }
        } else {
            State::Awaiting {
                until: after(now, self.timeout),
                extended,
            }
        }
    }
}

/// Seven weeks at most, which is for ever in the life of a connection.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use self::Event::*;
    use super::{Beat::*, *};

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Deadline(Beat),
        Ping,
        Pong,
        Packet,
        Pause,
        Resume,
    }

    const INTERVAL: Duration = Duration::from_secs(25);
    const TIMEOUT: Duration = Duration::from_secs(20);

    /// Runs a heartbeat of interval 25 and timeout 20 through (second, event, the deadline after it).
    fn check(name: &str, events: &[(u64, Event, Option<u64>)]) {
        let start = Instant::now();
        let heartbeat = Heartbeat::new(INTERVAL, TIMEOUT, start);
        assert_eq!(heartbeat.deadline(), Some(start + INTERVAL));
        run(name, heartbeat, start, events);
    }

    /// The same for a client that pings.
    fn check_client(name: &str, events: &[(u64, Event, Option<u64>)]) {
        let start = Instant::now();
        let heartbeat = Heartbeat::of_client(INTERVAL, TIMEOUT, start);
        assert_eq!(heartbeat.deadline(), Some(start + INTERVAL + TIMEOUT));
        run(name, heartbeat, start, events);
    }

    fn run(
        name: &str,
        mut heartbeat: Heartbeat,
        start: Instant,
        events: &[(u64, Event, Option<u64>)],
    ) {
        let at = |second| start + Duration::from_secs(second);
        for (step, &(second, event, deadline)) in events.iter().enumerate() {
            let now = at(second);
            match event {
                Deadline(beat) => {
                    assert_eq!(heartbeat.on_deadline(now), beat, "{name}, step {step}")
                }
                Ping => heartbeat.on_ping(now),
                Pong => heartbeat.on_pong(now),
                Packet => heartbeat.on_packet(now),
                Pause => heartbeat.pause(now),
                Resume => heartbeat.resume(now),
            }
            assert_eq!(
                heartbeat.deadline(),
                deadline.map(at),
                "{name}, step {step}"
            );
        }
    }

    #[test]
    fn pings_follow_pongs() {
        check(
            "an answered ping",
            &[
                (25, Deadline(SendPing), Some(45)),
                (27, Pong, Some(52)),
                (52, Deadline(SendPing), Some(72)),
                (71, Pong, Some(96)),
            ],
        );
        check(
            "traffic does not postpone a ping",
            &[(10, Packet, Some(25)), (25, Deadline(SendPing), Some(45))],
        );
        check(
            "a pong that nobody asked for does",
            &[
                (10, Pong, Some(35)),
                (25, Deadline(Nothing), Some(35)),
                (35, Deadline(SendPing), Some(55)),
            ],
        );
        check(
            "early and late calls",
            &[
                (24, Deadline(Nothing), Some(25)),
                (30, Deadline(SendPing), Some(50)),
                (49, Deadline(Nothing), Some(50)),
                (60, Pong, Some(85)),
            ],
        );
    }

    #[test]
    fn silence_ends_the_connection() {
        check(
            "nothing at all",
            &[
                (25, Deadline(SendPing), Some(45)),
                (45, Deadline(TimedOut), None),
                (46, Pong, None),
                (46, Packet, None),
                (46, Pause, None),
                (47, Resume, None),
                (99, Deadline(Nothing), None),
            ],
        );
        check(
            "one packet buys one timeout",
            &[
                (25, Deadline(SendPing), Some(45)),
                (40, Packet, Some(60)),
                (50, Packet, Some(60)),
                (60, Deadline(TimedOut), None),
            ],
        );
        check(
            "each ping may be extended anew",
            &[
                (25, Deadline(SendPing), Some(45)),
                (40, Packet, Some(60)),
                (50, Pong, Some(75)),
                (75, Deadline(SendPing), Some(95)),
                (90, Packet, Some(110)),
            ],
        );
    }

    #[test]
    fn the_clients_time_stands_still_while_we_do_not_read() {
        check(
            "what was left is kept",
            &[
                (25, Deadline(SendPing), Some(45)),
                (30, Pause, Some(55)),
                (31, Pause, Some(55)),
                (50, Deadline(Nothing), Some(55)),
                (55, Deadline(SendPing), Some(80)),
                (80, Deadline(SendPing), Some(105)),
                (100, Resume, Some(115)),
                (101, Resume, Some(115)),
                (115, Deadline(TimedOut), None),
            ],
        );
        check(
            "pings that fall due meanwhile are sent, and their timeout waits",
            &[
                (10, Pause, Some(25)),
                (25, Deadline(SendPing), Some(50)),
                (50, Deadline(SendPing), Some(75)),
                (60, Resume, Some(80)),
                (61, Pong, Some(86)),
            ],
        );
        check(
            "packets read before the pause count",
            &[
                (25, Deadline(SendPing), Some(45)),
                (40, Pause, Some(65)),
                (40, Packet, Some(65)),
                (70, Resume, Some(90)),
                (71, Packet, Some(90)),
            ],
        );
        check(
            "a pong read before the pause too",
            &[
                (25, Deadline(SendPing), Some(45)),
                (26, Pause, Some(51)),
                (26, Pong, Some(51)),
                (51, Deadline(SendPing), Some(76)),
                (52, Resume, Some(72)),
            ],
        );
    }

    #[test]
    fn a_client_that_pings_has_an_interval_and_a_timeout() {
        check_client(
            "pings",
            &[
                (25, Ping, Some(70)),
                (50, Ping, Some(95)),
                (94, Deadline(Nothing), Some(95)),
                (94, Ping, Some(139)),
                (139, Deadline(TimedOut), None),
                (140, Ping, None),
                (140, Pause, None),
                (141, Resume, None),
            ],
        );
        check_client(
            "nothing but other packets",
            &[(40, Packet, Some(45)), (45, Deadline(TimedOut), None)],
        );
    }

    #[test]
    fn the_time_of_a_client_that_pings_stands_still_too() {
        check_client(
            "what was left is kept",
            &[
                (40, Pause, None),
                (41, Pause, None),
                (60, Deadline(Nothing), None),
                (100, Resume, Some(105)),
                (101, Resume, Some(105)),
                (105, Deadline(TimedOut), None),
            ],
        );
        check_client(
            "a ping read before the pause counts",
            &[
                (40, Pause, None),
                (40, Ping, None),
                (100, Resume, Some(145)),
            ],
        );
    }

    #[test]
    fn an_endless_interval_never_comes() {
        let now = Instant::now();
        let mut heartbeat = Heartbeat::new(Duration::MAX, Duration::MAX, now);
        assert_eq!(
            heartbeat.on_deadline(now + Duration::from_secs(1_000_000_000)),
            Nothing
        );
        heartbeat.on_pong(now);
        heartbeat.pause(now);
        heartbeat.resume(now);
        assert!(heartbeat.deadline().is_some());
        let heartbeat = Heartbeat::of_client(Duration::MAX, Duration::MAX, now);
        assert!(heartbeat.deadline() > Some(now + Duration::from_secs(1_000_000_000)));
    }

    #[test]
    fn a_heartbeat_costs_little() {
        assert!(size_of::<Heartbeat>() <= 64);
    }
}
