//! What an adapter costs: several servers joined by each, ours and Node's in turn, with the engine that joins them.
//!
//! `cargo run --release -p rooms-bench --bin cluster`

use clap::Parser;
use rooms_bench::{
    cluster::{self, ADAPTERS, Adapter, Load, broken_promise},
    compare::{self, Reference, Run, Runs},
    load::raise_descriptor_limit,
    servers::{Programs, Server},
};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::{error::Error, fs, io::Write, path::PathBuf, process::ExitCode};

/// Joins servers by each adapter, and measures what a broadcast to one room costs: servers and engine on the first core, their
/// clients on the second. Fails when an engine delivers more or less than the adapter promises.
#[derive(Parser)]
struct Cli {
    /// Adapters, in this order (see --list) [default: all].
    #[arg(long, value_delimiter = ',')]
    adapters: Vec<String>,
    /// Runs of each; an adapter's runs are never next to each other.
    #[arg(long, default_value_t = 3)]
    repeats: u32,
    /// Servers that are joined.
    #[arg(short = 'n', long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    servers: u8,
    /// Clients of each server.
    #[arg(short = 'c', long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=200))]
    clients: u16,
    /// Broadcasts per second.
    #[arg(short = 'r', long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// Payload bytes of each, of which the first 20 are the time of emitting.
    #[arg(short = 's', long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(20..))]
    size: u32,
    /// For how many seconds.
    #[arg(short = 't', long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    secs: u32,
    /// Folder for the runs (`runs.jsonl`) and the table (`table.md`).
    #[arg(long, default_value = "target/cluster")]
    out: PathBuf,
    /// List adapters.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        for adapter in ADAPTERS {
            println!("  {:22} {}", adapter.name, adapter.about);
        }
        return ExitCode::SUCCESS;
    }
    match run(&cli) {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            broken.iter().for_each(|line| eprintln!("cluster: {line}"));
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("cluster: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, prints, and returns which promises were broken and what could not be measured.
fn run(cli: &Cli) -> Result<Vec<String>, Box<dyn Error>> {
    let adapters: Vec<&Adapter> = match cli.adapters.as_slice() {
        [] => ADAPTERS.iter().collect(),
        names => names
            .iter()
            .map(|name| cluster::find(name))
            .collect::<Result<_, _>>()?,
    };
    let load = Load {
        servers: cli.servers.into(),
        clients: cli.clients.into(),
        rate: cli.rate,
        size: cli.size,
        secs: cli.secs,
    };
    let servers: Vec<&Server> = adapters
        .iter()
        .map(|adapter| adapter.server())
        .collect::<Result<_, _>>()?;
    let programs = Programs::build(&servers)?;
    raise_descriptor_limit();
    stay_on_the_second_core()?;

    fs::create_dir_all(&cli.out)?;
    let mut file = fs::File::create(cli.out.join("runs.jsonl"))?;
    let (mut runs, mut wrong) = (Runs::default(), Vec::new());
    for repeat in 1..=cli.repeats {
        for adapter in &adapters {
            eprintln!("{repeat} of {}  {}", cli.repeats, adapter.name);
            let mut found: Vec<Run> = Vec::new();
            if let Err(e) = load.run(&programs, adapter, |run| found.push(run)) {
                wrong.push(format!("{} gave no figures: {e}", adapter.name));
            }
            for run in found {
                writeln!(file, "{}", serde_json::to_string(&run)?)?;
                wrong.extend(broken_promise(&run));
                runs.push(run);
            }
        }
    }

    let cases = load.cases();
    let cases: Vec<_> = cases
        .iter()
        .map(|(name, figures)| (name.as_str(), *figures))
        .collect();
    let node = Reference::Each("Node's", cluster::node);
    let table = compare::table(&runs, &cases, &[node]);
    print!("{table}");
    fs::write(cli.out.join("table.md"), table)?;
    Ok(wrong)
}

fn stay_on_the_second_core() -> Result<(), Box<dyn Error>> {
    let mut second = CpuSet::new();
    second.set(1);
    sched_setaffinity(None, &second).map_err(|e| format!("there is no second core: {e}").into())
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
