//! The table of cases and adapters.

use crate::{cases::Case, client::PATIENCE, cluster::Cluster, faults::outage, rigs::Rig};
use futures_util::{FutureExt, future::join_all};
use std::{
    any::Any,
    env, fmt,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How long one cell may take.
const LIMIT: Duration = PATIENCE.saturating_mul(3);

/// What came of all cases in all rigs.
pub(crate) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<Cell>)>,
    took: Duration,
}

/// What came of one case in one rig.
enum Cell {
    Pass,
    Fail(String),
    /// It can't be so there, and why.
    NotApplicable(&'static str),
}

impl Table {
    /// Runs everything that was asked for.
    pub(crate) async fn fill(kind: &str, rigs: Vec<Box<dyn Rig>>, cases: Vec<Case>) -> Self {
        let words: Vec<_> = env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-') && word != kind)
            .collect();
        // Words choose columns or rows, and a table that knows all of them, or is called so.
        let asked = |name: &str, names: &[&str]| {
            let known = |word: &&String| names.iter().any(|name| name.contains(*word));
            let mut known = words.iter().filter(known).peekable();
            known.peek().is_none() || known.any(|word| name.contains(word))
        };
        let columns: Vec<_> = rigs.iter().map(|rig| rig.name()).collect();
        let names: Vec<_> = cases.iter().map(|case| case.name).collect();
        let knows = |word: &String| {
            [&columns, &names]
                .into_iter()
                .flatten()
                .any(|name| name.contains(word))
        };
        let is_asked = words.iter().all(knows);
        let rigs: Vec<_> = rigs
            .iter()
            .filter(|rig| is_asked && asked(rig.name(), &columns))
            .collect();
        let begun = Instant::now();
        let mut rows = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            if !is_asked || !asked(case.name, &names) {
                continue;
            }
            let cluster = format!("{kind}-{number}");
            // Side by side: most of the time of a case is waiting.
            let cells = rigs.iter().map(|rig| Cell::fill(&***rig, case, &cluster));
            rows.push((case.name, join_all(cells).await));
        }
        Self {
            columns: rigs.iter().map(|rig| rig.name()).collect(),
            rows,
            took: begun.elapsed(),
        }
    }

    /// Whether there is nothing in it that was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.columns.is_empty()
    }

    /// Prints it, and what went wrong; whether all of it passes.
    pub(crate) fn report(&self) -> bool {
        println!("{self}");
        let mut failures = 0;
        for (case, row) in &self.rows {
            for (rig, cell) in self.columns.iter().zip(row) {
                if let Cell::Fail(why) = cell {
                    failures += 1;
                    println!("FAIL  {case} ({rig})\n{why}\n");
                }
            }
        }
        let cells = self.rows.len() * self.columns.len();
        let took = self.took.as_secs_f32();
        println!("{cells} cells, {failures} failed, in {took:.1} s\n");
        failures == 0
    }
}

impl Cell {
    async fn fill(rig: &dyn Rig, case: &Case, cluster: &str) -> Self {
        if let Some(why) = case.needs.iter().find_map(|need| rig.lacks(*need)) {
            return Self::NotApplicable(why);
        }
        let run = async {
            let cluster = Cluster::start(rig, cluster).await;
            (case.run)(cluster).await;
        };
        let limit = LIMIT + outage();
        match timeout(limit, AssertUnwindSafe(run).catch_unwind()).await {
            Ok(Ok(())) => Self::Pass,
            Ok(Err(panic)) => Self::Fail(said(&*panic)),
            Err(_) => Self::Fail(format!("not done after {} s", limit.as_secs())),
        }
    }
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self
            .rows
            .iter()
            .map(|(case, _)| case.chars().count())
            .max()
            .unwrap_or(0);
        write!(f, "{:widest$}", "")?;
        for column in &self.columns {
            write!(f, "  {column}")?;
        }
        let mut reasons: Vec<&str> = Vec::new();
        for (case, row) in &self.rows {
            write!(f, "\n{case:widest$}")?;
            for (column, cell) in self.columns.iter().zip(row) {
                let text = match cell {
                    Cell::Pass => "pass".to_owned(),
                    Cell::Fail(_) => "FAIL".to_owned(),
                    Cell::NotApplicable(why) => {
                        let number = reasons
                            .iter()
                            .position(|reason| reason == why)
                            .unwrap_or_else(|| {
                                reasons.push(why);
                                reasons.len() - 1
                            });
                        format!("n/a: {}", number + 1)
                    }
                };
                write!(f, "  {text:width$}", width = column.chars().count())?;
            }
        }
        for (number, reason) in reasons.iter().enumerate() {
            write!(f, "\n{}: {reason}", number + 1)?;
        }
        Ok(())
    }
}
