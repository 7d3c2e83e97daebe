//! Prints how much memory a server has per idle connection.
//!
//! `idle [-n 10000] [--at-most KIB] -- PROGRAM [ARGUMENT]...`, where the program listens on 127.0.0.1 at the `--port`
//! that is put at the end of its arguments.

use clap::Parser;
use rooms_bench::{
    load::{Mode, Options, modes::Idle, raise_descriptor_limit},
    servers::Running,
};
use std::{error::Error, ffi::OsString, process::ExitCode, time::Duration};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    idle: Idle,
    /// Fail above this many KiB per connection.
    #[arg(long)]
    at_most: Option<f64>,
    /// Command line of the server.
    #[arg(last = true, required = true)]
    server: Vec<OsString>,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!(
                "idle: {e}{}",
                e.source()
                    .map_or_else(String::new, |source| format!(": {source}"))
            );
            ExitCode::FAILURE
        }
    }
}

fn run(
    Cli {
        idle,
        at_most,
        server,
    }: Cli,
) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit();
    let running = Running::start(&server, "0", Duration::from_secs(20))?;
    let options = Options::new(running.address, running.pid());
    let report = Mode::Idle(idle).run(&options)?;
    print!("{report}");
    let each = report.get("rss_kib_per_connection").unwrap_or(f64::NAN);
    match at_most {
        Some(limit) if each > limit => {
            Err(format!("{each} KiB per connection, and at most {limit} are allowed").into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
