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
    run(folder, &[], Some(server));
}

/// Runs one file of tests in a folder of this crate, against a server or against the one that it brings itself.
///
/// # Panics
///
/// As [`run_suite`] does.
pub fn run_file(folder: &str, file: &str, server: Option<&str>) {
    run(folder, &[file], server);
}

fn run(folder: &str, files: &[&str], server: Option<&str>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(
        folder.join("node_modules").is_dir(),
        "the npm packages of {} are missing: run tests/setup.sh",
        folder.display()
    );
    let mut node = Command::new("node");
    match server {
        Some(server) => node.env("ROOMS_URL", server),
        None => node.env_remove("ROOMS_URL"),
    };
    let suite = node
        .arg("--test")
        .args(files)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("node is missing: run tests/setup.sh");
    assert!(
        suite.status.success(),
        "the suite failed against {}\n{}{}",
        server.unwrap_or("its own server"),
        String::from_utf8_lossy(&suite.stdout),
        String::from_utf8_lossy(&suite.stderr),
    );
}
