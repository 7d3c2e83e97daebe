//! What a run found: named figures, in the order of their finding.

use serde::{Serialize, Serializer};
use std::{borrow::Cow, collections::BTreeMap, fmt};

/// Named figures of one run.
#[derive(Debug, Default)]
pub struct Report(Vec<(Cow<'static, str>, f64)>);

impl Report {
    /// Adds a figure, rounded to thousandths.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, figure: f64) -> Report {
        self.0
            .push((name.into(), (figure * 1000.0).round() / 1000.0));
        self
    }

    /// Adds all figures of another report.
    #[must_use]
    pub fn and(mut self, other: Report) -> Report {
        self.0.extend(other.0);
        self
    }

    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, figure)| *figure)
    }
}

impl From<Report> for BTreeMap<String, f64> {
    fn from(report: Report) -> Self {
        let figures = report.0.into_iter();
        figures
            .map(|(name, figure)| (name.into_owned(), figure))
            .collect()
    }
}

/// One line per figure.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, figure)| writeln!(f, "{name:>28}  {figure}"))
    }
}

/// A JSON object.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figure)| (name, figure)))
    }
}
