//! Builds every server, runs them in turn under the same loads, prints one table and writes a plot per figure.
//!
//! `cargo run --release -p rooms-bench -- --cases paced-1k-20,echo --repeats 5`

use clap::Parser;
use rooms_bench::{
    compare::{self, CASES, Case, Reference, Run, Runs},
    servers::{self, Programs, Server},
};
use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::Write,
    path::PathBuf,
    process::ExitCode,
};

/// Compares servers under the same loads: the server on the first core, the load on the second.
#[derive(Parser)]
struct Cli {
    /// Servers to run, in this order (see --list).
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "rooms,rooms-hyper,floor,floor-64,socketioxide,node,tungstenite"
    )]
    servers: Vec<String>,
    /// Cases to run (see --list) [default: all but the long ones].
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// Runs of each case against each server; a server's runs are never next to each other.
    #[arg(long, default_value_t = 5)]
    repeats: u32,
    /// Folder for the runs (`runs.jsonl`) and the table (`table.md`).
    #[arg(long, default_value = "target/compare")]
    out: PathBuf,
    /// Folder for the plots [default: that of the runs]. Those of the documents are in `docs/plots`.
    #[arg(long)]
    plots: Option<PathBuf>,
    /// Add to the runs that are there instead of beginning anew; with `--repeats 0`, only draw them again.
    #[arg(long)]
    keep: bool,
    /// List servers and cases.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        list();
        return ExitCode::SUCCESS;
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!(
                "compare: {e}{}",
                e.source()
                    .map_or_else(String::new, |source| format!(": {source}"))
            );
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let servers = cli
        .servers
        .iter()
        .map(|name| servers::find(name))
        .collect::<Result<Vec<_>, _>>()?;
    let cases: Vec<&Case> = match cli.cases.as_slice() {
        [] => CASES.iter().filter(|case| !case.is_long).collect(),
        names => names
            .iter()
            .map(|name| compare::find(name))
            .collect::<Result<_, _>>()?,
    };

    fs::create_dir_all(&cli.out)?;
    let path = cli.out.join("runs.jsonl");
    let mut runs = Runs::default();
    if cli.keep && path.exists() {
        for line in fs::read_to_string(&path)?.lines() {
            runs.push(serde_json::from_str(line)?);
        }
    }
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .append(cli.keep)
        .truncate(!cli.keep)
        .open(&path)?;

    if cli.repeats > 0 {
        measure(&servers, &cases, cli.repeats, |run| {
            writeln!(file, "{}", serde_json::to_string(&run)?)?;
            runs.push(run);
            Ok(())
        })?;
    }

    let shown: Vec<_> = cases.iter().map(|case| (case.name, case.figures)).collect();
    let references: Vec<_> = runs.servers().into_iter().map(Reference::To).collect();
    let table = compare::table(&runs, &shown, &references);
    print!("{table}");
    fs::write(cli.out.join("table.md"), table)?;
    let plots = cli.plots.as_ref().unwrap_or(&cli.out);
    fs::create_dir_all(plots)?;
    for case in cases {
        for figure in case.figures {
            if let Some(svg) = compare::plot(&runs, case, figure) {
                fs::write(plots.join(format!("{}.{}.svg", case.name, figure.key)), svg)?;
            }
        }
    }
    Ok(())
}

fn measure(
    servers: &[&Server],
    cases: &[&Case],
    repeats: u32,
    mut keep: impl FnMut(Run) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let programs = Programs::build(servers)?;
    let each = cases.iter().map(|case| {
        let suited = servers.iter().filter(|server| case.suits(server));
        suited.count()
    });
    let total = repeats as usize * each.sum::<usize>();
    let mut done = 0;
    let mut kept = Ok(());
    compare::alternate(&programs, servers, cases, repeats, |run| {
        done += 1;
        let complaint = run.complaint().unwrap_or_default();
        eprintln!(
            "{done:4} of {total}  {:16} {:20} {complaint}",
            run.case, run.server
        );
        if kept.is_ok() {
            kept = keep(run);
        }
    })?;
    kept
}

fn list() {
    println!("servers");
    for server in servers::SERVERS {
        println!("  {:22} {}", server.name, server.about);
    }
    println!("cases");
    for case in CASES {
        println!("  {:22} {}", case.name, case.about);
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
