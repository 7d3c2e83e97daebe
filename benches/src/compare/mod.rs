//! Runs servers in turn under the same loads, and draws what was found.

mod cases;
mod plot;
mod runs;
mod table;

pub(crate) use cases::less;
pub use cases::{CASES, Case, Figure, find};
pub use plot::plot;
pub use runs::{Run, Runs, Spread};
pub use table::{Reference, table};

use crate::servers::{self, Programs, Running, Server};
use std::time::Duration;

/// Runs each case against each server, alternating, and hands each result on at once.
///
/// A run that fails is reported and left out: one peer that cannot bear a load must not end the comparison.
///
/// # Errors
/// When a program is missing or cannot be started.
pub fn alternate(
    programs: &Programs,
    servers: &[&Server],
    cases: &[&Case],
    repeats: u32,
    mut found: impl FnMut(Run),
) -> Result<(), servers::Error> {
    for _ in 0..repeats {
        for case in cases {
            for server in servers.iter().filter(|server| case.suits(server)) {
                match run(programs, server, case)? {
                    Ok(run) => found(run),
                    Err(why) => eprintln!("{:16} {:20} failed: {why}", case.name, server.name),
                }
            }
        }
    }
    Ok(())
}

/// One case against a fresh server.
fn run(
    programs: &Programs,
    server: &Server,
    case: &Case,
) -> Result<Result<Run, String>, servers::Error> {
    let mut line = programs.command_line(server)?;
    line.extend(case.server.iter().map(Into::into));
    let running = Running::start(&line, server.cores(), Duration::from_secs(20))?;
    let mut load = programs.load()?;
    load.args([
        "--server",
        &running.address.to_string(),
        "--pid",
        &running.pid().to_string(),
    ]);
    load.args(case.load(server.sends_each).split(' '));
    let output = match servers::run(load, case.patience) {
        Ok(Ok(json)) => json,
        Ok(Err(why)) => return Ok(Err(why)),
        Err(e @ servers::Error::TooLong(..)) => return Ok(Err(e.to_string())),
        Err(e) => return Err(e),
    };
    Ok(match serde_json::from_str(&output) {
        Ok(figures) => Ok(Run {
            server: server.name.to_owned(),
            case: case.name.to_owned(),
            figures,
        }),
        Err(e) => Err(format!("{e} in the output of the load generator")),
    })
}
