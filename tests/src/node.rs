//! Suites written in JavaScript, run as tests.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Runs `node --test` in a folder of this crate against a server.
///
/// # Panics
///
/// Panics with what the suite printed when one of its tests fails, and with what to do when it can't be run at all.
pub fn run_suite(folder: &str, server: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(
        folder.join("node_modules").is_dir(),
        "the npm packages of {} are missing: run tests/setup.sh",
        folder.display()
    );
    let suite = Command::new("node")
        .arg("--test")
        .env("ROOMS_URL", server)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("node is missing: run tests/setup.sh");
    assert!(
        suite.status.success(),
        "the suite failed against {server}\n{}{}",
        String::from_utf8_lossy(&suite.stdout),
        String::from_utf8_lossy(&suite.stderr),
    );
}
