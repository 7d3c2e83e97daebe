//! What is done to the servers of a run.

use super::connection;
use crate::engines::Process;
use std::{fs, path::PathBuf, time::Duration};
use tokio::time::sleep;

/// What happens to one server, while the others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It is killed, and started again.
    Kill,
    /// It stands still for so long, with all its connections.
    Stop(Duration),
    /// It is asked to end, and a new one takes its place; one server after the other, as versions are changed.
    Replace,
    /// The clock on its wall jumps by an hour or two, forth and back in turn. Time passes as before.
    Clock,
}

/// How long a server that was killed stays away.
const AWAY: Duration = Duration::from_millis(200);

impl Harm {
    /// `kill`, `stop` or `stop=SECONDS`, `replace`, `clock`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.split_once('=') {
            None => match text {
                "kill" => Self::Kill,
                "stop" => Self::Stop(Duration::from_secs(30)),
                "replace" => Self::Replace,
                "clock" => Self::Clock,
                _ => return None,
            },
            Some(("stop", seconds)) => Self::Stop(Duration::from_secs(seconds.parse().ok()?)),
            Some(_) => return None,
        })
    }

    /// As `tests/adapters/node/fire.mjs` takes it.
    pub(super) fn to_json(self) -> serde_json::Value {
        match self {
            Self::Kill => serde_json::json!({ "kind": "kill" }),
            Self::Stop(time) => {
                serde_json::json!({ "kind": "stop", "millis": time.as_millis() as u64 })
            }
            Self::Replace => serde_json::json!({ "kind": "replace" }),
            Self::Clock => serde_json::json!({ "kind": "clock" }),
        }
    }

    /// Does it to a server, and returns when it is over and the server is there again. `number` counts what was done before.
    pub(super) async fn befall(self, server: &Process, port: u16, number: usize) {
        match self {
            Self::Kill => {
                server.kill();
                // Others go on without it.
                sleep(AWAY).await;
                server.restart();
            }
            Self::Stop(time) => {
                server.stop();
                sleep(time).await;
                server.resume();
            }
            Self::Replace => {
                server.end().await;
                server.restart();
            }
            Self::Clock => set_clock(server, [HOUR, -HOUR][number % 2]),
        }
        connection::ready(port).await;
    }
}

const HOUR: i32 = 3_600;

/// The name of the file that says how wrong the clock of a server is, in its folder.
const CLOCK: &str = "clock";

fn set_clock(server: &Process, seconds: i32) {
    let written = fs::write(server.folder().join(CLOCK), format!("{seconds:+}\n"));
    written.expect("a file in a folder of ours");
}

/// What the environment of a server in this folder must have, so that its clock can be set.
pub(super) fn with_clock(folder: &str) -> [String; 4] {
    let library = library();
    [
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={folder}/{CLOCK}"),
        // What measures how long something takes is no clock on a wall.
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "FAKETIME_CACHE_DURATION=1".to_owned(),
    ]
}

/// What stands between a program and its clock: libfaketime, for programs with threads.
pub(super) fn library() -> PathBuf {
    let architectures = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut libraries =
        architectures.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let library = libraries.find(|library| library.is_file());
    library.expect("libfaketime is missing: run tests/setup.sh")
}
