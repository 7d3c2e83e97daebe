use std::time::{Duration, Instant};

/// At most so many in a second, and as many at once.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    /// When all that was taken so far is made up for.
    even: Option<Instant>,
}

impl Rate {
    /// Takes one; false if there were too many of late.
    pub(crate) fn take(&mut self, per_second: u32, now: Instant) -> bool {
        const SECOND: Duration = Duration::from_secs(1);
        let Some(cost) = SECOND.checked_div(per_second) else {
            return false;
        };
        let begin = self.even.map_or(now, |even| even.max(now));
        if begin + cost > now + SECOND {
            return false;
        }
        self.even = Some(begin + cost);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_at_once_as_in_a_second() {
        let start = Instant::now();
        let mut rate = Rate::default();
        let taken = |rate: &mut Rate, milliseconds: u64| {
            let now = start + Duration::from_millis(milliseconds);
            (0..1_000).take_while(|_| rate.take(10, now)).count()
        };
        assert_eq!(taken(&mut rate, 0), 10);
        assert_eq!(taken(&mut rate, 99), 0);
        assert_eq!(taken(&mut rate, 100), 1);
        assert_eq!(taken(&mut rate, 450), 3);
        // Patience is not saved up.
        assert_eq!(taken(&mut rate, 1_000_000), 10);
    }

    #[test]
    fn none_is_none() {
        assert!(!Rate::default().take(0, Instant::now()));
    }
}
