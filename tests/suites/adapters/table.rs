//! The table of cases and adapters.

use crate::{cases::Case, client::PATIENCE, cluster::Cluster, rigs::Rig};
use futures_util::FutureExt;
use std::{
    any::Any,
    env, fmt,
    panic::AssertUnwindSafe,
    process::ExitCode,
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
    pub(crate) async fn fill(rigs: Vec<Box<dyn Rig>>, cases: Vec<Case>) -> Self {
        let words: Vec<_> = env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-'))
            .collect();
        // Words that no column has choose rows, and the other way round.
        let asked = |name: &str, names: &[&str]| {
            let mut known = words
                .iter()
                .filter(|word| names.iter().any(|name| name.contains(*word)));
            let first = known.next();
            first.is_none_or(|first| name.contains(first) || known.any(|word| name.contains(word)))
        };
        let columns: Vec<_> = rigs.iter().map(|rig| rig.name()).collect();
        let names: Vec<_> = cases.iter().map(|case| case.name).collect();
        let rigs: Vec<_> = rigs
            .iter()
            .filter(|rig| asked(rig.name(), &columns))
            .collect();
        let begun = Instant::now();
        let mut rows = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            if !asked(case.name, &names) {
                continue;
            }
            let mut row = Vec::new();
            for rig in &rigs {
                row.push(Cell::fill(&***rig, case, &format!("case-{number}")).await);
            }
            rows.push((case.name, row));
        }
        Self {
            columns: rigs.iter().map(|rig| rig.name()).collect(),
            rows,
            took: begun.elapsed(),
        }
    }

    /// Prints it, and what went wrong.
    pub(crate) fn report(&self) -> ExitCode {
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
        println!("{cells} cells, {failures} failed, in {took:.1} s");
        match failures == 0 && cells > 0 {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
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
        match timeout(LIMIT, AssertUnwindSafe(run).catch_unwind()).await {
            Ok(Ok(())) => Self::Pass,
            Ok(Err(panic)) => Self::Fail(said(&*panic)),
            Err(_) => Self::Fail(format!("not done after {} s", LIMIT.as_secs())),
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
