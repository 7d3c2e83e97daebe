//! Measures what the macros cost to compile.
//!
//! `compile_time [-n 5] [--at-most RATIO]` writes crates of 200 events and 200 handlers and runs `cargo check` on them in turn:
//! one with our derives and `#[handler]`, and what it stands for without us, serde's derives and plain async functions, once by
//! themselves and once with the `match` that takes an event to its function. Then it checks a block of 500 handlers and a chain
//! of 100 calls of `.on(..)`.

use clap::Parser;
use std::{
    env,
    error::Error,
    ffi::OsString,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

#[derive(Parser)]
struct Cli {
    /// How often each crate is checked.
    #[arg(short = 'n', long, default_value_t = 5)]
    runs: u32,
    /// Fail when, from scratch, ours takes more than this many times the CPU time of the crate without us.
    #[arg(long)]
    at_most: Option<f64>,
    /// Folder for the crates and what cargo makes of them.
    #[arg(long, default_value = "target/compile-time")]
    out: PathBuf,
}

/// The events, and the handlers, of each crate that is compared.
const EVENTS: usize = 200;

/// A crate to be checked: its name, and its source, in which the number is what an edit changes.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    source: fn(u32) -> String,
}

const OURS: Case = Case {
    name: "ours",
    source: |edit| block(EVENTS, edit),
};
const PLAIN: Case = Case {
    name: "plain",
    source: |edit| plain(EVENTS, edit),
};
const MATCHED: Case = Case {
    name: "matched",
    source: |edit| matched(EVENTS, edit),
};
const BLOCK: Case = Case {
    name: "block",
    source: |edit| block(500, edit),
};
const CHAIN: Case = Case {
    name: "chain",
    source: |edit| chain(100, edit),
};
const CASES: [Case; 5] = [OURS, PLAIN, MATCHED, BLOCK, CHAIN];

/// How a crate is checked.
#[derive(Clone, Copy)]
enum Mode {
    /// As the first time: nothing is kept of the run before.
    FromScratch,
    /// As in an editor: one handler has changed since the run before.
    AfterAnEdit,
}

/// What a check took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    /// Of cargo and the compilers that it runs, which other programs on the machine disturb less.
    cpu: Duration,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("compile_time: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::create(&cli.out)?;
    let from_scratch = compare(&workspace, Mode::FromScratch, cli.runs)?;
    compare(&workspace, Mode::AfterAnEdit, cli.runs)?;
    for (case, what) in [
        (CHAIN, "100 handlers in a chain"),
        (BLOCK, "500 handlers in a block"),
    ] {
        let Cost { wall, cpu } = workspace.check(case, Mode::FromScratch, 0)?;
        let (wall, cpu) = (wall.as_secs_f64(), cpu.as_secs_f64());
        println!("{what:24} {wall:8.2} {cpu:8.2}");
    }
    match cli.at_most {
        Some(limit) if from_scratch > limit => {
            Err(format!("{from_scratch:.2} times the time, and at most {limit} are allowed").into())
        }
        _ => Ok(()),
    }
}

/// Prints what ours takes beside the others, and returns the ratio of CPU times to the plain functions.
fn compare(workspace: &Workspace, mode: Mode, runs: u32) -> Result<f64, Box<dyn Error>> {
    // Dependencies, and what an edit starts from.
    for case in [OURS, PLAIN, MATCHED] {
        workspace.check(case, mode, 0)?;
    }
    let mut costs: [Vec<Cost>; 3] = Default::default();
    for run in 1..=runs {
        // In turn, so that a slow minute of the machine hits all of them.
        for (case, costs) in [OURS, PLAIN, MATCHED].into_iter().zip(&mut costs) {
            costs.push(workspace.check(case, mode, run)?);
        }
    }
    let [ours, plain, matched] = costs;
    let title = match mode {
        Mode::FromScratch => "from scratch",
        Mode::AfterAnEdit => "after an edit",
    };
    println!(
        "{title:24} {:>8} {:>8} {:>8}",
        "wall s", "CPU s", "CPU ratio"
    );
    let mut ratios = Vec::new();
    for (name, costs) in [
        ("our macros", &ours),
        ("plain functions", &plain),
        ("and a match", &matched),
    ] {
        let of_pairs = ours
            .iter()
            .zip(costs)
            .map(|(a, b)| a.cpu.div_duration_f64(b.cpu));
        let ratio = median(of_pairs);
        let wall = median(costs.iter().map(|cost| cost.wall.as_secs_f64()));
        let cpu = median(costs.iter().map(|cost| cost.cpu.as_secs_f64()));
        println!("  {name:22} {wall:8.2} {cpu:8.2} {ratio:8.2}");
        ratios.push(ratio);
    }
    Ok(ratios[1])
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The crates, in a workspace of their own.
struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    fn create(folder: &Path) -> Result<Self, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let library = repository.join("rooms-layer").canonicalize()?;
        let members = CASES.map(|case| format!("{:?}", case.name)).join(", ");
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
        fs::write(folder.join("Cargo.toml"), manifest)?;
        // The versions that everything else here is measured with.
        fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        for case in CASES {
            fs::create_dir_all(folder.join(case.name).join("src"))?;
            let manifest = format!(
                "[package]\nname = {:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
                 rooms-layer = {{ path = {library:?} }}\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\n\
                 serde_json = \"1\"\n",
                case.name
            );
            fs::write(folder.join(case.name).join("Cargo.toml"), manifest)?;
            fs::write(folder.join(case.name).join("src/lib.rs"), "")?;
        }
        Ok(Self { folder })
    }

    fn check(&self, case: Case, mode: Mode, edit: u32) -> Result<Cost, Box<dyn Error>> {
        let source = self.folder.join(case.name).join("src/lib.rs");
        fs::write(source, (case.source)(edit))?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut check = Command::new(cargo);
        check
            .args(["check", "--quiet", "--offline", "--package", case.name])
            .args(["--target-dir", "target"])
            .env(
                "CARGO_INCREMENTAL",
                match mode {
                    Mode::FromScratch => "0",
                    Mode::AfterAnEdit => "1",
                },
            )
            .current_dir(&self.folder);
        let (began, used) = (Instant::now(), children_cpu()?);
        let status = check.status()?;
        let cost = Cost {
            wall: began.elapsed(),
            cpu: children_cpu()?.saturating_sub(used),
        };
        match status.success() {
            true => Ok(cost),
            false => Err(format!("`{}` does not compile", case.name).into()),
        }
    }
}

/// CPU time of the processes that this one has started and waited for, and of those that they have.
fn children_cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The command, in parentheses, may hold blanks; what follows does not.
    let (_, rest) = stat
        .rsplit_once(") ")
        .ok_or("/proc/self/stat has no command")?;
    let ticks = rest.split(' ').skip(13).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
    // The kernel counts hundredths of a second.
    Ok(Duration::from_millis(ticks * 10))
}

/// Events, their contract, and a block of handlers.
fn block(events: usize, edit: u32) -> String {
    let mut source = contract(events);
    source.push_str("pub struct Handlers;\n\n#[handler(App)]\nimpl Handlers {\n");
    for n in 0..events {
        let body = body(n, edit);
        let _ = write!(
            source,
            "    #[on]\n    async fn handle_{n}(&self, socket: Socket<App>, event: Event{n}) -> u64 {{\n{body}    }}\n"
        );
    }
    source.push_str("}\n\npub fn rooms() -> RoomsLayer {\n");
    source.push_str("    RoomsLayer::new().namespace(App::serve(()).handlers(Handlers))\n}\n");
    source
}

/// The same with a function for each event.
fn chain(events: usize, edit: u32) -> String {
    let mut source = contract(events);
    for n in 0..events {
        let body = body(n, edit);
        let _ = write!(
            source,
            "#[handler(App)]\nasync fn handle_{n}(socket: Socket<App>, event: Event{n}) -> u64 {{\n{body}}}\n\n"
        );
    }
    source.push_str("pub fn rooms() -> RoomsLayer {\n    RoomsLayer::new().namespace(\n        App::serve(())\n");
    for n in 0..events {
        let _ = writeln!(source, "            .on(handle_{n})");
    }
    source.push_str("    )\n}\n");
    source
}

fn contract(events: usize) -> String {
    let mut source =
        String::from("use rooms_layer::prelude::*;\nuse serde::{Deserialize, Serialize};\n\n");
    for n in 0..events {
        let fields = fields(n);
        let _ = write!(
            source,
            "#[derive(Event, Serialize, Deserialize)]\n#[event(client, ack = u64)]\n{fields}"
        );
    }
    let listed: Vec<_> = (0..events).map(|n| format!("Event{n}")).collect();
    let listed = listed.join(", ");
    let _ = write!(
        source,
        "#[derive(Namespace)]\n#[namespace(path = \"/\", client({listed}))]\npub struct App;\n\n"
    );
    source
}

/// Without us: types and functions.
fn plain(events: usize, edit: u32) -> String {
    let mut source =
        String::from("use rooms_layer::{Main, Socket};\nuse serde::{Deserialize, Serialize};\n\n");
    for n in 0..events {
        let (fields, body) = (fields(n), body(n, edit));
        let _ = write!(
            source,
            "#[derive(Serialize, Deserialize)]\n{fields}\
             pub async fn handle_{n}(socket: Socket<Main>, event: Event{n}) -> u64 {{\n{body}}}\n\n"
        );
    }
    source
}

/// Without us: and how an event comes to its function, and the answer to the client.
fn matched(events: usize, edit: u32) -> String {
    let mut source = plain(events, edit);
    source.push_str(
        "pub async fn handle(socket: Socket<Main>, name: &str, text: &str) -> serde_json::Result<String> {\n    match name {\n",
    );
    for n in 0..events {
        let _ = writeln!(
            source,
            "        \"event{n}\" => serde_json::to_string(&handle_{n}(socket, serde_json::from_str(text)?).await),"
        );
    }
    source.push_str("        _ => Ok(String::new()),\n    }\n}\n");
    source
}

fn fields(n: usize) -> String {
    format!(
        "pub struct Event{n} {{\n    pub id: u64,\n    pub title: String,\n    pub done: bool,\n}}\n\n"
    )
}

/// What a handler does. An edit changes that of the first.
fn body(n: usize, edit: u32) -> String {
    let constant = if n == 0 { edit } else { 0 };
    format!(
        "        let known = socket.is_connected() && event.done;\n        \
         event.id + event.title.len() as u64 + u64::from(known) + {constant}\n"
    )
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
    fn cpu_time_of_children_is_read() {
        let before = children_cpu().expect("the kernel tells");
        assert!(children_cpu().expect("the kernel tells") >= before);
    }
}
