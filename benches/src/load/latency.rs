//! Latencies and their quantiles.

use super::Report;
use crate::clock::now_ns;

/// Latencies of one run, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<u64>);

impl From<Vec<u64>> for Latencies {
    fn from(nanoseconds: Vec<u64>) -> Latencies {
        Latencies(nanoseconds)
    }
}

impl Latencies {
    /// Room for as many as will come: growing in the measured phase would stall it.
    pub(crate) fn with_capacity(count: usize) -> Latencies {
        Latencies(Vec::with_capacity(count))
    }

    /// Notes how long ago the 20 digits at the start of `payload` were written; `false` when they are none.
    #[inline]
    pub(crate) fn note(&mut self, payload: &[u8]) -> bool {
        let sent = payload
            .get(..20)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
        self.0
            .extend(sent.map(|sent| now_ns().saturating_sub(sent)));
        sent.is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Quantiles in milliseconds.
    pub(crate) fn report(mut self) -> Report {
        self.0.sort_unstable();
        let at = |share: f64| {
            let i = (self.0.len() as f64 * share) as usize;
            self.0
                .get(i)
                .or(self.0.last())
                .map_or(0.0, |ns| *ns as f64 / 1e6)
        };
        Report::default()
            .with("p50_ms", at(0.5))
            .with("p99_ms", at(0.99))
            .with("p999_ms", at(0.999))
            .with("max_ms", at(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::Latencies;

    #[test]
    fn quantiles() {
        let report = Latencies((1..=1000).map(|ms| ms * 1_000_000).collect()).report();
        for (name, wanted) in [
            ("p50_ms", 501.0),
            ("p99_ms", 991.0),
            ("p999_ms", 1000.0),
            ("max_ms", 1000.0),
        ] {
            assert_eq!(report.get(name), Some(wanted), "{name}");
        }
        assert_eq!(Latencies::default().report().get("p99_ms"), Some(0.0));
    }

    #[test]
    fn notes_only_time_stamps() {
        let mut latencies = Latencies::default();
        for (payload, wanted) in [
            ("00000000000000000001xxx", true),
            ("0000000000000000001", false),
            ("x0000000000000000001", false),
        ] {
            assert_eq!(latencies.note(payload.as_bytes()), wanted, "{payload}");
        }
        assert_eq!(latencies.0.len(), 1);
    }
}
