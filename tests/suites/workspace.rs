//! Rooms and events in one crate and the application in another, as crates: `workspace/` has to compile.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn a_contract_is_shared_by_crates() {
    let workspace = tests().join("workspace");
    // The versions of the library's own tests: nothing is resolved, and nothing downloaded, a second time.
    let lock_file = tests().with_file_name("Cargo.lock");
    fs::copy(lock_file, workspace.join("Cargo.lock")).expect("the lock file can be copied");

    let check = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--workspace", "--all-targets", "--target-dir"])
        .arg(target())
        .current_dir(&workspace)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{said}");
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this test was built, so that what it was built with is there already.
fn target() -> PathBuf {
    let inside = Path::new(env!("CARGO_TARGET_TMPDIR"));
    inside.parent().expect("it lies in the target").to_owned()
}
