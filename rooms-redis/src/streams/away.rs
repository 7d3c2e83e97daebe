//! Sessions whose clients are away: how many of them are kept.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// Those of one namespace that left this server, by their keys; of each what is needed to end it.
#[derive(Debug)]
pub(super) struct Away<T> {
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
    /// One more has left; the one that has been away for longest, where there are more than `most`. Those that were away for longer
    /// than the window have expired by themselves.
    pub(super) fn leave(
        &mut self,
        key: &str,
        end: T,
        most: usize,
        window: Duration,
    ) -> Option<(Box<str>, T)> {
        self.come_back(key);
        let now = Instant::now();
        self.departures += 1;
        self.left.insert(self.departures, (now, key.into(), end));
        self.places.insert(key.into(), self.departures);
        while let Some(first) = self.left.first_entry()
            && now.duration_since(first.get().0) > window
        {
            let (_, key, _) = first.remove();
            self.places.remove(&key);
        }
        if self.left.len() <= most {
            return None;
        }
        let (_, (_, key, end)) = self.left.pop_first()?;
        self.places.remove(&key);
        Some((key, end))
    }

    /// It is back on this server.
    pub(super) fn come_back(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.left.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_one_that_left_first_goes_where_they_are_too_many() {
        let window = Duration::from_secs(60);
        let mut away = Away::default();
        let mut leave = |key: &str| away.leave(key, (), 2, window).map(|(key, ())| key);
        assert_eq!(leave("a"), None);
        assert_eq!(leave("b"), None);
        // It came back and left again, which is still one.
        assert_eq!(leave("a"), None);
        assert_eq!(leave("c").as_deref(), Some("b"));
        away.come_back("a");
        away.come_back("nobody");
        let mut leave = |key: &str| away.leave(key, (), 2, window).map(|(key, ())| key);
        assert_eq!(leave("d"), None);
        tokio::time::advance(2 * window).await;
        assert_eq!(leave("e"), None, "the others have expired");
        assert_eq!(leave("f"), None);
        assert_eq!(leave("g").as_deref(), Some("e"));
        assert_eq!((away.left.len(), away.places.len()), (2, 2));
    }
}
