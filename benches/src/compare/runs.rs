//! What runs have found, and how far they agree.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run of one case against one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its [name](crate::servers::Server::name).
    pub server: String,
    /// Its [name](super::Case::name).
    pub case: String,
    /// The load generator's report.
    pub figures: BTreeMap<String, f64>,
}

impl Run {
    fn get(&self, key: &str) -> f64 {
        self.figures.get(key).copied().unwrap_or(0.0)
    }

    /// What the server did wrong, if anything.
    pub fn complaint(&self) -> Option<String> {
        let (lost, got) = (
            self.get("lost"),
            self.get("deliveries") + self.get("returns"),
        );
        let mut complaints = Vec::new();
        if lost > 0.0 {
            complaints.push(format!("lost {:.1} %", 100.0 * lost / (lost + got)));
        }
        for key in ["reordered_or_twice", "malformed"] {
            if self.get(key) > 0.0 {
                complaints.push(format!("{} {key}", self.get(key)));
            }
        }
        (!complaints.is_empty()).then(|| complaints.join(", "))
    }

    /// Whether each event was looked for, at each client that it was for.
    pub fn is_checked(&self) -> bool {
        self.figures.contains_key("lost") && self.figures.contains_key("deliveries")
    }
}

/// All runs so far.
#[derive(Debug, Default)]
pub struct Runs(Vec<Run>);

impl Runs {
    /// Adds one.
    pub fn push(&mut self, run: Run) {
        self.0.push(run);
    }

    /// The runs of one case against one server.
    pub fn of<'a>(
        &'a self,
        case: &'a str,
        server: &'a str,
    ) -> impl Iterator<Item = &'a Run> + Clone {
        self.0
            .iter()
            .filter(move |run| run.case == case && run.server == server)
    }

    /// The names of the servers that were run, in the order of their first runs.
    pub fn servers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for run in &self.0 {
            if !names.contains(&&*run.server) {
                names.push(&run.server);
            }
        }
        names
    }

    /// One figure over all runs of a case against a server.
    pub fn spread(&self, case: &str, server: &str, key: &str) -> Option<Spread> {
        Spread::of(
            self.of(case, server)
                .filter_map(|run| run.figures.get(key).copied())
                .collect(),
        )
    }
}

/// A figure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one; of an even number, the mean of the middle two.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len();
        let (min, max) = (*values.first()?, *values.last()?);
        let median = f64::midpoint(values[(count - 1) / 2], values[count / 2]);
        Some(Spread {
            median,
            min,
            max,
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        for (values, wanted) in [
            (vec![], None),
            (vec![2.0], Some((2.0, 2.0, 2.0))),
            (vec![3.0, 1.0], Some((2.0, 1.0, 3.0))),
            (vec![9.0, 1.0, 4.0], Some((4.0, 1.0, 9.0))),
        ] {
            let spread = Spread::of(values).map(|spread| (spread.median, spread.min, spread.max));
            assert_eq!(spread, wanted);
        }
    }

    #[test]
    fn complaints() {
        for (figures, wanted) in [
            (vec![("deliveries", 10.0)], None),
            (
                vec![("deliveries", 1.0), ("lost", 3.0)],
                Some("lost 75.0 %"),
            ),
            (vec![("malformed", 2.0)], Some("2 malformed")),
        ] {
            let figures = figures
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            let run = Run {
                server: String::new(),
                case: String::new(),
                figures,
            };
            assert_eq!(run.complaint().as_deref(), wanted);
        }
    }
}
