//! crates.io rust_socketio: the rows of ../FIXTURE.md, "The table".
//!
//! ```text
//! rust-client URL BREAKABLE_URL ROW..
//! ```

mod peer;
mod rows;

use rows::{Row, Server};
use serde_json::{Value, json};
use std::{env, io::Write, panic, sync::mpsc, thread, time::Duration};

/// How long a row may take before it fails. Nothing waits for this time to pass.
const DEADLINE: Duration = Duration::from_secs(30);

fn main() {
    let mut args = env::args().skip(1);
    let mut address = || args.next().expect("two addresses come before the rows");
    let server = Server {
        url: address(),
        breakable: address(),
    };
    say(&json!({ "client": "rust_socketio", "version": env!("CLIENT_VERSION") }));
    for name in args {
        let outcome = match rows::named(&name) {
            Some(row) => run(row, server.clone()),
            None => Err("this program has no such row".to_owned()),
        };
        say(&match outcome {
            Ok(()) => json!({ "row": name, "pass": true }),
            Err(why) => json!({ "row": name, "pass": false, "why": why }),
        });
    }
}

/// Prints one line for whoever runs the table.
fn say(line: &Value) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").expect("somebody reads the lines");
    out.flush().expect("somebody reads the lines");
}

/// Runs a row on a thread that is left behind if it is not done in time.
fn run(row: Row, server: Server) -> Result<(), String> {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || {
        let result = panic::catch_unwind(|| row(&server));
        done.send(result.map_err(|panic| match panic.downcast::<String>() {
            Ok(message) => *message,
            Err(_) => "panicked".to_owned(),
        }))
    });
    match outcome.recv_timeout(DEADLINE) {
        Ok(result) => result,
        Err(_) => Err(format!("not done within {DEADLINE:?}")),
    }
}
