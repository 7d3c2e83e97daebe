//! The results as a table, in which no expected cell is missing without being a fault.

use crate::{
    clients::{Client, ROWS},
    framework::Framework,
    run::Run,
};
use std::{collections::BTreeSet, fmt};

/// One client, one row, one framework.
enum Cell {
    Pass,
    Fail(String),
    NotApplicable(&'static str),
}

/// All cells, by client, row and framework in the order of their lists.
pub(crate) struct Table {
    sections: Vec<Section>,
    strays: Vec<String>,
}

struct Section {
    client: &'static str,
    version: Option<String>,
    rows: Vec<(&'static str, Vec<(Framework, Cell)>)>,
}

impl Table {
    pub(crate) fn new(clients: &'static [Client], runs: &[Run]) -> Self {
        let section = |client: &'static Client| {
            let of_client = || runs.iter().filter(|run| run.client == client.name);
            let cells = |row| {
                let cell = |framework| {
                    let run = of_client().find(|run| run.framework == framework);
                    (framework, cell(client, row, framework, run))
                };
                Framework::ALL.map(cell).into()
            };
            Section {
                client: client.name,
                version: of_client().find_map(|run| run.version.clone()),
                rows: ROWS.iter().map(|&row| (row, cells(row))).collect(),
            }
        };
        let stray = |run: &Run| {
            let (name, framework) = (run.client, run.framework);
            let told = run.outcomes.keys().cloned().collect::<Vec<_>>();
            told.into_iter()
                .filter(move |row| !expected(clients, name, row, framework))
                .map(move |row| {
                    let framework = framework.name();
                    format!("{name}, {row}, {framework}: nobody asked for it")
                })
        };
        Self {
            sections: clients.iter().map(section).collect(),
            strays: runs.iter().flat_map(stray).collect(),
        }
    }

    /// The clients with the versions that they told.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let sections = self.sections.iter();
        sections.map(|section| (section.client, section.version.as_deref().unwrap_or("?")))
    }

    /// Every cell that failed, with the reason.
    pub(crate) fn faults(&self) -> Vec<String> {
        let failed = self.cells().filter_map(|(client, row, framework, cell)| {
            let Cell::Fail(why) = cell else { return None };
            let framework = framework.name();
            Some(format!("{client}, {row}, {framework}: {why}"))
        });
        failed.chain(self.strays.iter().cloned()).collect()
    }

    fn cells(&self) -> impl Iterator<Item = (&'static str, &'static str, Framework, &Cell)> {
        self.sections.iter().flat_map(|section| {
            section.rows.iter().flat_map(|(row, cells)| {
                cells
                    .iter()
                    .map(|(framework, cell)| (section.client, *row, *framework, cell))
            })
        })
    }
}

fn cell(client: &Client, row: &str, framework: Framework, run: Option<&Run>) -> Cell {
    if let Some(why) = client.not_applicable(row, framework) {
        return Cell::NotApplicable(why);
    }
    let outcome = run.and_then(|run| run.outcomes.get(row));
    match outcome {
        Some(Ok(())) => Cell::Pass,
        Some(Err(why)) => Cell::Fail(why.clone()),
        None => {
            let trouble = run.and_then(|run| run.trouble.as_deref());
            let trouble = trouble.unwrap_or("the program said nothing of it");
            Cell::Fail(format!("missing: {trouble}"))
        }
    }
}

fn expected(clients: &[Client], name: &str, row: &str, framework: Framework) -> bool {
    clients.iter().any(|client| {
        client.name == name
            && ROWS.contains(&row)
            && client.not_applicable(row, framework).is_none()
    })
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for section in &self.sections {
            let version = section.version.as_deref().unwrap_or("?");
            write!(f, "{:36}", format!("{} ({version})", section.client))?;
            for framework in Framework::ALL {
                write!(f, "{:7}", framework.name())?;
            }
            writeln!(f)?;
            for (row, cells) in &section.rows {
                write!(f, "  {row:34}")?;
                for (_, cell) in cells {
                    write!(f, "{:7}", cell.mark())?;
                }
                let reasons: BTreeSet<_> =
                    cells.iter().filter_map(|(_, cell)| cell.reason()).collect();
                for reason in reasons {
                    write!(f, "n/a: {reason}")?;
                }
                writeln!(f)?;
            }
            writeln!(f)?;
        }
        let count = |mark| {
            self.cells()
                .filter(|(.., cell)| cell.mark() == mark)
                .count()
        };
        let (passed, absent, failed) = (count("pass"), count("n/a"), count("FAIL"));
        write!(f, "{passed} pass, {absent} n/a, {failed} FAIL ")
    }
}

impl Cell {
    fn mark(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "FAIL",
            Self::NotApplicable(_) => "n/a",
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotApplicable(why) => Some(why),
            _ => None,
        }
    }
}

mod tests {
    use super::*;
    use crate::clients::CLIENTS;
    use std::collections::BTreeMap;

    /// Everything that is expected, passed.
    fn runs() -> Vec<Run> {
        let pairs = CLIENTS
            .iter()
            .flat_map(|client| Framework::ALL.map(|framework| (client, framework)));
        pairs
            .map(|(client, framework)| Run {
                client: client.name,
                framework,
                version: Some("1.2.3".to_owned()),
                outcomes: ROWS
                    .iter()
                    .filter(|row| client.not_applicable(row, framework).is_none())
                    .map(|row| ((*row).to_owned(), Ok(())))
                    .collect(),
                trouble: None,
            })
            .collect()
    }

    #[test]
    fn a_full_table_has_no_faults() {
        assert_eq!(Table::new(CLIENTS, &runs()).faults(), [""; 0]);
    }

    #[test]
    fn a_failed_cell_is_a_fault() {
        let mut runs = runs();
        runs[0]
            .outcomes
            .insert("rooms".to_owned(), Err("why".to_owned()));
        let table = Table::new(CLIENTS, &runs);
        assert_eq!(table.faults(), ["socket.io-client 4, rooms, axum: why"]);
        assert!(table.to_string().contains("FAIL   pass"), "{table}");
    }

    #[test]
    fn a_missing_cell_is_a_fault() {
        let mut runs = runs();
        runs[0].outcomes.remove("rooms");
        let faults = Table::new(CLIENTS, &runs).faults();
        let missing = "missing: the program said nothing of it";
        assert_eq!(
            faults,
            [format!("socket.io-client 4, rooms, axum: {missing}")]
        );
    }

    #[test]
    fn a_missing_run_is_a_fault_for_each_of_its_cells() {
        let mut runs = runs();
        let lost = runs.remove(0);
        let faults = Table::new(CLIENTS, &runs).faults();
        assert_eq!(faults.len(), lost.outcomes.len());
    }

    #[test]
    fn trouble_is_the_reason_of_what_is_missing() {
        let mut runs = runs();
        runs[3].outcomes = BTreeMap::new();
        runs[3].trouble = Some("it ended".to_owned());
        let faults = Table::new(CLIENTS, &runs).faults();
        assert_eq!(faults.len(), ROWS.len());
        assert_eq!(
            faults[0],
            "socket.io-client 4, connect, Node: missing: it ended"
        );
    }

    #[test]
    fn a_cell_that_nobody_asked_for_is_a_fault() {
        let mut runs = runs();
        runs[0].outcomes.insert("juggling".to_owned(), Ok(()));
        let faults = Table::new(CLIENTS, &runs).faults();
        assert_eq!(
            faults,
            ["socket.io-client 4, juggling, axum: nobody asked for it"]
        );
    }
}
