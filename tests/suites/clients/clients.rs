//! The clients and the rows of the table, and which rows a client has no part in.

use crate::framework::Framework;
use std::{
    env,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// What is tried of every client, in this order. FIXTURE.md says what each means.
pub(crate) const ROWS: &[&str] = &[
    "connect",
    "own id",
    "auth refused",
    "events",
    "ack by server",
    "ack by client",
    "ack timeout in client",
    "ack timeout in server",
    "binary",
    "binary nested",
    "namespaces",
    "rooms",
    "upgrade",
    "polling only",
    "websocket only",
    "reconnect",
    "recovery",
    "restart",
    "message size",
    "unicode",
    "lone surrogates",
];

/// A client as it comes from its registry, and the program that drives it.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) program: fn() -> Command,
    pub(crate) lacks: &'static [Lack],
}

/// Rows that a client has no part in.
pub(crate) struct Lack {
    pub(crate) rows: &'static [&'static str],
    pub(crate) on: &'static [Framework],
    /// Stands in the guide in these words.
    pub(crate) why: &'static str,
}

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "socket.io-client 4",
        program: || javascript("socket.io-client-4.mjs"),
        lacks: &[],
    },
    Client {
        name: "socket.io-client 2",
        program: || javascript("socket.io-client-2.mjs"),
        lacks: &[
            Lack {
                rows: &["ack timeout in client"],
                on: ALL,
                why: "its acknowledgements have no timeout",
            },
            Lack {
                rows: &["recovery"],
                on: ALL,
                why: "it is older than recovery",
            },
            Lack {
                rows: &["own id"],
                on: Framework::OURS,
                why: "what it takes for its id is the secret of its session, which the server tells nobody",
            },
        ],
    },
    Client {
        name: "engine.io-client",
        program: || javascript("engine.io-client.mjs"),
        lacks: &[
            Lack {
                rows: &[
                    "own id",
                    "ack by server",
                    "ack by client",
                    "ack timeout in client",
                    "ack timeout in server",
                    "binary nested",
                    "namespaces",
                    "rooms",
                ],
                on: ALL,
                why: "it carries messages and knows nothing of what is in them",
            },
            Lack {
                rows: &["reconnect", "recovery", "restart"],
                on: ALL,
                why: "it never connects a second time",
            },
        ],
    },
    Client {
        name: "python-socketio asyncio",
        program: || python("asyncio"),
        lacks: PYTHON_LACKS,
    },
    Client {
        name: "python-socketio threaded",
        program: || python("threaded"),
        lacks: PYTHON_LACKS,
    },
    Client {
        name: "rust_socketio",
        program: || Command::new(rust_target().join("debug/rust-client")),
        lacks: &[
            Lack {
                rows: &["own id"],
                on: ALL,
                why: "it does not tell its id",
            },
            Lack {
                rows: &["ack by client"],
                on: ALL,
                why: "it can't acknowledge what a server asks",
            },
            Lack {
                rows: &["ack timeout in client"],
                on: ALL,
                why: "it drops a late acknowledgement and tells nobody",
            },
            Lack {
                rows: &["binary nested"],
                on: ALL,
                why: "an attachment has to be the only argument, and nothing with one can be acknowledged",
            },
            Lack {
                rows: &["recovery"],
                on: ALL,
                why: "it knows nothing of recovery",
            },
            Lack {
                rows: &["lone surrogates"],
                on: ALL,
                why: "strings of Rust have none",
            },
        ],
    },
];

const ALL: &[Framework] = &Framework::ALL;

const PYTHON_LACKS: &[Lack] = &[Lack {
    rows: &["recovery"],
    on: ALL,
    why: "it does not keep what recovery needs",
}];

impl Client {
    /// Why this row is not tried there, if it is not.
    pub(crate) fn not_applicable(&self, row: &str, framework: Framework) -> Option<&'static str> {
        let lack = self
            .lacks
            .iter()
            .find(|lack| lack.rows.contains(&row) && lack.on.contains(&framework));
        lack.map(|lack| lack.why)
    }
}

/// Builds the program of the Rust client. It is a workspace of its own: its dependencies are years older than ours, and none of
/// them belong in our lock file.
pub(crate) fn build_rust() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = std::process::Command::new(cargo)
        .args(["build", "--locked", "--target-dir"])
        .arg(rust_target())
        .current_dir(folder("rust"))
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&build.stderr);
    assert!(build.status.success(), "{said}");
}

/// Apart from our own target, so that the two builds do not wait for each other.
fn rust_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-client")
}

fn javascript(program: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(folder("js/table").join(program));
    node
}

fn python(kind: &str) -> Command {
    let mut python = Command::new(folder("python").join(".venv/bin/python"));
    python.arg(folder("python/table.py")).arg(kind);
    python
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("clients")
        .join(name)
}

#[test]
fn what_is_lacked_are_rows_and_each_once() {
    for client in CLIENTS {
        let rows: Vec<_> = client.lacks.iter().flat_map(|lack| lack.rows).collect();
        for row in &rows {
            assert!(ROWS.contains(row), "{}: {row}", client.name);
            let times = rows.iter().filter(|other| other == &row).count();
            assert_eq!(times, 1, "{}: {row}", client.name);
        }
    }
}
