//! Loads one server and prints what it cost: a line of JSON on stdout, the same as a table on stderr.
//!
//! `load --server 127.0.0.1:3000 --pid $PID paced -n 1000 -r 20`

use clap::Parser;
use rooms_bench::load::{Mode, Options, raise_descriptor_limit};
use std::process::ExitCode;

/// Load generator for Socket.IO servers (Engine.IO 4 over WebSocket, Socket.IO 5), on loopback only.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    mode: Mode,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    raise_descriptor_limit();
    match cli.mode.run(&cli.options) {
        Ok(report) => {
            eprint!("{report}");
            println!(
                "{}",
                serde_json::to_string(&report).expect("a report is a map of numbers")
            );
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::FAILURE
        }
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
