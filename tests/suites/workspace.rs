//! Rooms and events in one crate, the application and a worker in others, as crates: `workspace/`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
};

#[test]
fn a_contract_is_shared_by_crates() {
    cargo(&["check", "--workspace", "--all-targets"]);
}

#[test]
fn a_worker_is_tested_without_a_server() {
    // Alone: beside the application, its library would have what the application asks for.
    let said = cargo(&["test", "--package", "worker"]);
    assert!(said.contains("tests::a_night_is_told ... ok"), "{said}");
}

#[test]
fn a_worker_depends_on_nothing_of_a_server() {
    let crates = dependencies("worker");
    for expected in ["contract", "rooms-layer", "serde_json"] {
        assert!(crates.iter().any(|name| name == expected), "{crates:?}");
    }
    let served: Vec<_> = crates.iter().filter(|name| is_of_a_server(name)).collect();
    assert!(served.is_empty(), "a worker depends on {served:?}");
    // They would be found.
    assert!(dependencies("app").iter().any(|name| is_of_a_server(name)));
}

fn is_of_a_server(name: &str) -> bool {
    let families = ["http", "hyper", "axum", "tower", "tungstenite", "tokio"];
    families.iter().any(|family| {
        let rest = name.strip_prefix(family);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// The names of all crates that are built for a package.
fn dependencies(package: &str) -> Vec<String> {
    let tree = ["tree", "--package", package, "--edges", "normal,build"];
    let tree = cargo(&[&tree[..], &["--prefix", "none", "--format", "{p}"]].concat());
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

/// Runs cargo in the workspace, and returns what it prints.
fn cargo(arguments: &[&str]) -> String {
    static PREPARED: Once = Once::new();
    let workspace = tests().join("workspace");
    PREPARED.call_once(|| {
        // The versions of the library's own tests: nothing is resolved, and nothing downloaded, a second time.
        let lock_file = tests().with_file_name("Cargo.lock");
        fs::copy(lock_file, workspace.join("Cargo.lock")).expect("the lock file can be copied");
    });
    let run = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target())
        .current_dir(&workspace)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    String::from_utf8_lossy(&run.stdout).into_owned()
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this test was built, so that what it was built with is there already.
fn target() -> PathBuf {
    let inside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    inside.parent().expect("it lies in the target").to_owned()
}
