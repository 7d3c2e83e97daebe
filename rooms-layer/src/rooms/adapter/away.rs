//! Sessions whose clients are away: how many of them are kept.

use super::RecoveryConfig;
use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

/// The sessions of one namespace whose clients have left this server, for adapters whose engine keeps them and counts none: by their
/// keys, and of each what is needed to end it.
///
/// ```
/// use rooms_layer::rooms::adapter::{Away, RecoveryConfig};
/// use std::time::Instant;
///
/// let config = RecoveryConfig::default().max_sessions(1);
/// let mut away = Away::default();
/// assert_eq!(away.leave("first", 1, &config, Instant::now()), None);
/// // More than are kept: the first is to be ended.
/// assert_eq!(away.leave("second", 2, &config, Instant::now()), Some(1));
/// ```
#[derive(Debug)]
pub struct Away<T> {
    /// By the order in which they left.
    left: BTreeMap<u64, (Instant, Box<str>, T)>,
    places: HashMap<Box<str>, u64>,
    departures: u64,
}

impl<T> Default for Away<T> {
    fn default() -> Self {
        Self {
            left: BTreeMap::new(),
            places: HashMap::new(),
            departures: 0,
        }
    }
}

impl<T> Away<T> {
    /// One more has left; the one that has been away for longest, where they are more than [`RecoveryConfig::max_sessions`]. Those
    /// that were away for longer than its window have expired by themselves.
    pub fn leave(&mut self, key: &str, end: T, config: &RecoveryConfig, now: Instant) -> Option<T> {
        self.come_back(key);
        self.departures += 1;
        self.left.insert(self.departures, (now, key.into(), end));
        self.places.insert(key.into(), self.departures);
        while let Some(first) = self.left.first_entry()
            && now.duration_since(first.get().0) > config.window
        {
            let (_, key, _) = first.remove();
            self.places.remove(&key);
        }
        if self.left.len() <= config.max_sessions {
            return None;
        }
        let (_, (_, key, end)) = self.left.pop_first()?;
        self.places.remove(&key);
        Some(end)
    }

    /// It is back on this server. It does not matter if it was not away.
    pub fn come_back(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.left.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_one_that_left_first_goes_where_they_are_too_many() {
        let window = Duration::from_secs(60);
        let config = RecoveryConfig::default().max_sessions(2).window(window);
        let mut away = Away::default();
        let now = Instant::now();
        let mut leave = |key: &'static str| away.leave(key, key, &config, now);
        assert_eq!(leave("a"), None);
        assert_eq!(leave("b"), None);
        // It came back and left again, which is still one.
        assert_eq!(leave("a"), None);
        assert_eq!(leave("c"), Some("b"));
        away.come_back("a");
        away.come_back("nobody");
        let mut leave = |key: &'static str| away.leave(key, key, &config, now);
        assert_eq!(leave("d"), None);
        let mut leave = |key: &'static str| away.leave(key, key, &config, now + 2 * window);
        assert_eq!(leave("e"), None, "the others have expired");
        assert_eq!(leave("f"), None);
        assert_eq!(leave("g"), Some("e"));
        assert_eq!((away.left.len(), away.places.len()), (2, 2));
    }
}
