//! Counts a server's user-space instructions per delivery and per round trip with callgrind.
//!
//! `instructions [--servers rooms,floor] [--check FILE]`. What it prints is what `--check` reads, so a new record is
//! made with `instructions > FILE`; lines that start with `#` are for the reason why it had to grow. The counts hardly
//! depend on how busy the machine is, which makes them the gate that times cannot be.

use clap::Parser;
use rooms_bench::servers::{self, Programs, Running, Server};
use std::{
    collections::BTreeMap,
    error::Error,
    ffi::OsString,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

#[derive(Parser)]
struct Cli {
    /// Servers to count.
    #[arg(long, value_delimiter = ',', default_value = "rooms,floor")]
    servers: Vec<String>,
    /// Compare with the counts in this file, and fail when one has grown.
    #[arg(long)]
    check: Option<PathBuf>,
    /// Growth that is let through, in percent.
    #[arg(long, default_value_t = 5.0)]
    tolerance: f64,
    /// Folder for callgrind's output.
    #[arg(long, default_value = "target/instructions")]
    out: PathBuf,
}

/// Two loads that differ in length only: the difference is free of start, handshakes and warming up.
struct Count {
    name: &'static str,
    short: &'static str,
    long: &'static str,
    /// What the load generator's report calls the things counted.
    unit: &'static str,
}

const COUNTS: &[Count] = &[
    Count {
        name: "paced",
        short: "paced -n 100 -r 20 -s 128 -t 2",
        long: "paced -n 100 -r 20 -s 128 -t 7",
        unit: "deliveries",
    },
    Count {
        name: "burst",
        short: "burst -n 100 -m 500 -s 64 --warmup 50",
        long: "burst -n 100 -m 1500 -s 64 --warmup 50",
        unit: "deliveries",
    },
    Count {
        name: "echo",
        short: "echo -n 100 -k 1 -s 32 --requests 100",
        long: "echo -n 100 -k 1 -s 32 --requests 300",
        unit: "roundtrips",
    },
];

/// Instructions by server and count.
type Counted = BTreeMap<(String, String), f64>;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            eprint!("{complaints}");
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!(
                "instructions: {e}{}",
                e.source()
                    .map_or_else(String::new, |source| format!(": {source}"))
            );
            ExitCode::FAILURE
        }
    }
}

/// Counts, prints, and returns what has grown.
fn run(cli: &Cli) -> Result<String, Box<dyn Error>> {
    let record = cli.check.as_deref().map(fs::read_to_string).transpose()?;
    let record = record.as_deref().map(read).transpose()?;
    let servers = cli
        .servers
        .iter()
        .map(|name| servers::find(name))
        .collect::<Result<Vec<_>, _>>()?;
    let programs = Programs::build(&servers)?;
    fs::create_dir_all(&cli.out)?;

    let mut counted = Counted::new();
    for server in servers {
        for count in COUNTS {
            let mut each = measure(&programs, server, count, &cli.out)?;
            // A machine that is busy with something else can make a count larger, but hardly three in a row.
            for _ in 0..2 {
                if !record.as_ref().is_some_and(|record| {
                    has_grown(record, server.name, count.name, each, cli.tolerance)
                }) {
                    break;
                }
                each = each.min(measure(&programs, server, count, &cli.out)?);
            }
            println!("{:20} {:8} {each:10.0}", server.name, count.name);
            counted.insert((server.name.to_owned(), count.name.to_owned()), each);
        }
    }
    Ok(record
        .map(|record| compare(&counted, &record, cli.tolerance))
        .unwrap_or_default())
}

fn measure(
    programs: &Programs,
    server: &Server,
    count: &Count,
    out: &Path,
) -> Result<f64, Box<dyn Error>> {
    let run = |load: &str| -> Result<(f64, f64), Box<dyn Error>> {
        let file = out.join(format!("callgrind.{}.{}.out", server.name, count.name));
        let mut line: Vec<OsString> = vec!["valgrind".into(), "--tool=callgrind".into()];
        let mut to = OsString::from("--callgrind-out-file=");
        to.push(&file);
        line.push(to);
        line.extend(programs.command_line(server)?);
        let running = Running::start(&line, server.cores(), Duration::from_secs(60))?;
        let mut command = programs.load()?;
        command
            .args(["--server", &running.address.to_string(), "--stall", "30"])
            .args(load.split(' '));
        let report = servers::run(command, Duration::from_secs(180))?
            .map_err(|why| format!("{} {}: {why}", server.name, count.name))?;
        let report: BTreeMap<String, f64> = serde_json::from_str(&report)?;
        if report.get("lost").is_some_and(|lost| *lost > 0.0) {
            return Err(
                format!("{} lost events, so that a count says nothing", server.name).into(),
            );
        }
        running.terminate(Duration::from_secs(60))?;
        let total = total(&fs::read_to_string(&file)?).ok_or("callgrind wrote no total")?;
        Ok((total, report.get(count.unit).copied().unwrap_or(0.0)))
    };
    let (short, few) = run(count.short)?;
    let (long, many) = run(count.long)?;
    Ok((long - short) / (many - few).max(1.0))
}

/// The sum at the end of callgrind's output.
fn total(output: &str) -> Option<f64> {
    output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
}

/// Reads what this command has printed before.
fn read(record: &str) -> Result<Counted, String> {
    let lines = record
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [server, count, each] => match each.parse() {
                    Ok(each) => Ok((((*server).to_owned(), (*count).to_owned()), each)),
                    Err(e) => Err(format!("{e} in the record: {line}")),
                },
                _ => Err(format!(
                    "expected server, count and number in the record: {line}"
                )),
            }
        })
        .collect()
}

/// Whether a count is over what is recorded.
fn has_grown(record: &Counted, server: &str, count: &str, now: f64, tolerance: f64) -> bool {
    let before = record.get(&(server.to_owned(), count.to_owned()));
    before.is_some_and(|before| now > before * (1.0 + tolerance / 100.0))
}

/// A line per count that has grown or is not recorded; nothing when all is well.
fn compare(counted: &Counted, record: &Counted, tolerance: f64) -> String {
    let mut complaints = String::new();
    for ((server, count), now) in counted {
        // Writing to a string cannot fail.
        let _ = match record.get(&(server.clone(), count.clone())) {
            None => writeln!(
                complaints,
                "{server} {count}: {now:.0} instructions, and none recorded"
            ),
            Some(before) if has_grown(record, server, count, *now, tolerance) => writeln!(
                complaints,
                "{server} {count}: {now:.0} instructions, {:.1} % over the recorded {before:.0}",
                (now / before - 1.0) * 100.0
            ),
            Some(_) => Ok(()),
        };
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn growth_is_found() {
        let record =
            read("# why it grew\nrooms echo 1000\n\nrooms paced   500\n").expect("a record");
        for (count, now, wanted) in [
            ("echo", 1050.0, ""),
            (
                "echo",
                1060.0,
                "rooms echo: 1060 instructions, 6.0 % over the recorded 1000\n",
            ),
            ("echo", 10.0, ""),
            (
                "burst",
                10.0,
                "rooms burst: 10 instructions, and none recorded\n",
            ),
        ] {
            let counted = Counted::from([(("rooms".to_owned(), count.to_owned()), now)]);
            assert_eq!(compare(&counted, &record, 5.0), wanted);
        }
    }

    #[test]
    fn bad_records() {
        for record in ["rooms echo", "rooms echo many", "rooms echo 1 2"] {
            assert!(read(record).is_err(), "{record}");
        }
    }

    #[test]
    fn totals() {
        assert_eq!(total("summary: 1\n\ntotals: 12345\n"), Some(12345.0));
        assert_eq!(total("summary: 1\n"), None);
    }
}
