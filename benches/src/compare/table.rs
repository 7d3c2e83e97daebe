//! The table: a row per figure and server, with its ratio to every reference.

use super::{Figure, Run, Runs, Spread};
use std::fmt::Write;

/// A column `/ NAME`, which says how many times another server's median it is.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'a> {
    /// The server of this name, for all.
    To(&'a str),
    /// Another one for each: what stands behind the slash, and the name of the one that a server is held against.
    Each(&'a str, fn(&str) -> String),
}

impl Reference<'_> {
    fn head(&self) -> &str {
        match self {
            Reference::To(name) | Reference::Each(name, _) => name,
        }
    }

    fn of(&self, server: &str) -> String {
        match self {
            Reference::To(name) => (*name).to_owned(),
            Reference::Each(_, of) => of(server),
        }
    }
}

/// Draws a Markdown table that also reads well as text: of each case, its figures.
pub fn table(runs: &Runs, cases: &[(&str, &[Figure])], references: &[Reference<'_>]) -> String {
    let servers = runs.servers();
    let mut header: Vec<String> = ["case", "figure", "server", "median", "min - max", "runs"]
        .map(str::to_owned)
        .to_vec();
    header.extend(references.iter().map(|to| format!("/ {}", to.head())));
    header.extend(["others %", "delivered"].map(str::to_owned));
    let mut rows = vec![header];
    for (case, figures) in cases {
        for figure in *figures {
            for server in &servers {
                let Some(spread) = runs.spread(case, server, figure.key) else {
                    continue;
                };
                let mut row = vec![
                    (*case).to_owned(),
                    figure.label.to_owned(),
                    (*server).to_owned(),
                    number(spread.median),
                    format!("{} - {}", number(spread.min), number(spread.max)),
                    spread.count.to_string(),
                ];
                row.extend(references.iter().map(|to| {
                    let reference = runs.spread(case, &to.of(server), figure.key);
                    ratio(spread, reference)
                }));
                let others = runs.spread(case, server, "others_cpu_percent");
                row.push(others.map_or_else(String::new, |others| format!("{:.0}", others.median)));
                let mut of = runs.of(case, server);
                row.push(match of.clone().find_map(Run::complaint) {
                    Some(complaint) => complaint,
                    None if of.all(Run::is_checked) => "all, in order".to_owned(),
                    None => String::new(),
                });
                rows.push(row);
            }
        }
    }
    align(&rows)
}

fn ratio(spread: Spread, reference: Option<Spread>) -> String {
    match reference {
        Some(reference) if reference.median > 0.0 => number(spread.median / reference.median),
        _ => String::new(),
    }
}

/// Three digits that count.
pub(super) fn number(x: f64) -> String {
    match x.abs() {
        size if size >= 100.0 => format!("{x:.0}"),
        size if size >= 10.0 => format!("{x:.1}"),
        size if size >= 1.0 => format!("{x:.2}"),
        _ => format!("{x:.3}"),
    }
}

fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    // Names to the left, numbers to the right.
    let left = |column: usize| column < 3 || column + 1 == columns;
    for (i, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = if left(column) {
                write!(out, "| {cell:width$} ")
            } else {
                write!(out, "| {cell:>width$} ")
            };
        }
        out.push_str("|\n");
        if i == 0 {
            for (column, width) in widths.iter().enumerate() {
                let end = if left(column) { '-' } else { ':' };
                let _ = write!(out, "|{:-<dashes$}{end}", "", dashes = width + 1);
            }
            out.push_str("|\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::find;

    #[test]
    fn a_table() {
        let mut runs = Runs::default();
        for (server, us) in [("floor", 2.0), ("node", 8.0), ("floor", 4.0)] {
            let figures = [("server_cpu_us_per_cycle", us), ("others_cpu_percent", 3.0)];
            let figures = figures.map(|(key, value)| (key.to_owned(), value)).into();
            runs.push(Run {
                server: server.to_owned(),
                case: "churn".to_owned(),
                figures,
            });
        }
        let wanted = "\
| case  | figure                  | server | median |   min - max | runs | / floor | / node | others % | delivered |
|-------|-------------------------|--------|-------:|------------:|-----:|--------:|-------:|---------:|-----------|
| churn | server CPU µs per cycle | floor  |   3.00 | 2.00 - 4.00 |    2 |    1.00 |  0.375 |        3 |           |
| churn | server CPU µs per cycle | node   |   8.00 | 8.00 - 8.00 |    1 |    2.67 |   1.00 |        3 |           |
";
        let case = find("churn").expect("a case");
        let references = ["floor", "node"].map(Reference::To);
        assert_eq!(
            table(&runs, &[(case.name, case.figures)], &references),
            wanted
        );
    }
}
