//! What users may write, and what the compiler tells them when they may not.
//!
//! `ui/*/pass` are modules of this suite: that it compiles is the test. `ui/*/fail` must not compile, each with the text
//! beside it; see `ui/README.md`.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the pass cases are compiled, not used"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The compiler whose texts are recorded in `ui/*/fail/*.stderr`.
const RECORDED_WITH: &str = "rustc 1.95";

/// Names a directory of cases to record instead of compare, in a run of this suite within itself.
const RECORD: &str = "ROOMS_UI_RECORD";

#[path = "../ui/namespace/pass/contract_apart_from_server.rs"]
mod contract_apart_from_server;
#[path = "../ui/emit/pass/every_form.rs"]
mod emit;
#[path = "../ui/event/pass/every_form.rs"]
mod event;
#[path = "../ui/handler/pass/every_form.rs"]
mod handler;
#[path = "../ui/hygiene/pass/no_prelude.rs"]
mod no_prelude;
#[path = "../ui/hygiene/pass/other_path.rs"]
mod other_path;
#[path = "../ui/room/pass/keys.rs"]
mod room_keys;

#[test]
fn fail() {
    if let Some(directory) = env::var_os(RECORD) {
        compile_fail(Path::new(&directory));
    } else if compiler().starts_with(RECORDED_WITH) {
        compile_fail(Path::new("ui"));
    } else {
        our_sentences();
    }
}

fn compile_fail(directory: &Path) {
    let cases = trybuild::TestCases::new();
    cases.compile_fail(directory.join("*/fail/*.rs"));
}

/// Under another compiler its own words differ. That a case fails, and that it says what we have to say, must not.
fn our_sentences() {
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    let cases = copy_cases(&copies);
    let recording = Command::new(env::current_exe().expect("this test is a file"))
        .args(["--exact", "fail"])
        .env(RECORD, &copies)
        .env("TRYBUILD", "overwrite")
        .output()
        .expect("this test runs");
    let log = String::from_utf8_lossy(&recording.stdout);
    let mut missing = Vec::new();
    for case in cases {
        let said = fs::read_to_string(copies.join(&case)).unwrap_or_default();
        let expected = fs::read_to_string(Path::new("ui").join(&case)).expect("a recorded text");
        let said = sentences(&said);
        let unsaid = sentences(&expected)
            .into_iter()
            .filter(|sentence| !said.contains(sentence));
        missing.extend(unsaid.map(|sentence| format!("{}: {sentence}", case.display())));
    }
    assert!(missing.is_empty(), "not said: {missing:#?}\n{log}");
}

/// Copies every case without its text, and returns where the texts are to appear.
fn copy_cases(to: &Path) -> Vec<PathBuf> {
    // Texts of an earlier run must not stand for those of this one.
    fs::remove_dir_all(to).ok();
    let mut texts = Vec::new();
    for group in fs::read_dir("ui").expect("the folder of cases").flatten() {
        let from = group.path().join("fail");
        let copies = to.join(group.file_name()).join("fail");
        for case in fs::read_dir(&from).into_iter().flatten().flatten() {
            if case.path().extension().is_some_and(|it| it == "rs") {
                fs::create_dir_all(&copies).expect("a writable target directory");
                fs::copy(case.path(), copies.join(case.file_name())).expect("a copy");
                let text = case.path().with_extension("stderr");
                texts.push(text.strip_prefix("ui").expect("a path in ui").to_owned());
            }
        }
    }
    assert!(!texts.is_empty(), "there are cases to check");
    texts
}

/// The first line of each error, as far as it is ours: without paths, which compilers abridge differently, and without the
/// errors that are the compiler's alone.
fn sentences(text: &str) -> Vec<String> {
    let headlines = text.lines().filter_map(|line| {
        let line = line.strip_prefix("error")?;
        line.strip_prefix(": ").or(line.strip_prefix("[E0277]: "))
    });
    headlines.map(without_paths).collect()
}

fn without_paths(sentence: &str) -> String {
    let words = sentence.split_inclusive([' ', '`', '<', '&', '(', ',']);
    words
        .map(|word| word.rsplit("::").next().unwrap_or(word))
        .filter(|word| !word.contains("closure@"))
        .collect()
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.expect("a rustc to ask for its version").stdout;
    String::from_utf8_lossy(&version).into_owned()
}
