//! Which other servers there are, as far as they let themselves be heard.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many servers are remembered. Nobody has as many; a forger could make them up.
const MOST: usize = 10_000;

/// The other servers, and when each was last heard.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    last_heard: HashMap<Box<str>, Instant>,
}

impl Presence {
    /// A server says that it is there; whether that is new.
    pub(crate) fn heard(&mut self, server: &str, now: Instant) -> bool {
        if let Some(last_heard) = self.last_heard.get_mut(server) {
            *last_heard = now;
            return false;
        }
        let has_place = self.last_heard.len() < MOST;
        if has_place {
            self.last_heard.insert(server.into(), now);
        }
        has_place
    }

    /// A server says that it closes; whether it was known.
    pub(crate) fn bye(&mut self, server: &str) -> bool {
        self.last_heard.remove(server).is_some()
    }

    /// Forgets the servers that were not heard for so long, and returns them.
    pub(crate) fn expire(&mut self, silence: Duration, now: Instant) -> Vec<Box<str>> {
        self.last_heard
            .extract_if(|_, last| now.saturating_duration_since(*last) > silence)
            .map(|(server, _)| server)
            .collect()
    }

    /// Nobody could be heard until now, so that nobody was silent.
    pub(crate) fn excuse(&mut self, now: Instant) {
        self.last_heard.values_mut().for_each(|last| *last = now);
    }

    /// The servers.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &str> {
        self.last_heard.keys().map(|server| &**server)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.last_heard.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(6);

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[test]
    fn servers_are_there_while_they_are_heard() {
        let begun = Instant::now();
        let mut presence = Presence::default();
        assert!(presence.heard("a", begun));
        assert!(presence.heard("b", begun));
        assert!(!presence.heard("a", after(begun, 4)), "it is known");
        assert_eq!(presence.expire(SILENCE, after(begun, 6)), []);
        assert_eq!(presence.expire(SILENCE, after(begun, 7)), ["b".into()]);
        assert_eq!(presence.servers().collect::<Vec<_>>(), ["a"]);
        assert!(presence.bye("a"));
        assert!(!presence.bye("a"));
        assert_eq!(presence.len(), 0);
    }

    #[test]
    fn nobody_was_silent_while_nobody_could_be_heard() {
        let begun = Instant::now();
        let mut presence = Presence::default();
        presence.heard("a", begun);
        presence.excuse(after(begun, 60));
        assert_eq!(presence.expire(SILENCE, after(begun, 66)), []);
        assert_eq!(presence.expire(SILENCE, after(begun, 67)).len(), 1);
    }

    #[test]
    fn servers_that_are_made_up_fill_no_memory() {
        let mut presence = Presence::default();
        for number in 0..MOST + 10 {
            presence.heard(&number.to_string(), Instant::now());
        }
        assert_eq!(presence.len(), MOST);
    }
}
