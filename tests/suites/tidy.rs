//! What is true of the files of the repository, whatever is in them: no traces of one machine, no dead links.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

/// Where files tell which packages they stand for. Nothing else in the repository names a registry.
const LOCK_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];
/// The public registries, the only ones that lock files may name.
/// In pieces, so that this file is not an exception to what it checks.
const PUBLIC_REGISTRIES: [&str; 2] = [
    concat!("github.com/rust-lang/", "crates.io-index"),
    concat!("registry.", "npmjs.org"),
];
/// Words by which the host of a registry or of a mirror is known.
const REGISTRY_WORDS: [&str; 7] = [
    "artifact",
    "crates.io",
    "mirror",
    "nexus",
    "npmjs",
    "pypi",
    "registry",
];
/// Folders of a machine that nobody else has. Spelled in parts, so that this file passes its own test.
const PRIVATE_FOLDERS: [&str; 4] = [
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "Users/"),
    concat!("/", "work/"),
];

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let fault = |(file, number, line): (&str, usize, &str)| {
        let folder = private_folder(line)?;
        Some(format!("{file}:{number}: names a folder in {folder}"))
    };
    complain(lines(&texts()).filter_map(fault).collect());
}

#[test]
fn only_lock_files_name_registries_and_those_are_public() {
    let fault = |(file, number, line): (&str, usize, &str)| {
        let is_lock_file = LOCK_FILES.iter().any(|name| file.ends_with(name));
        let bad = registries(line).find(|registry| {
            !is_lock_file
                || !PUBLIC_REGISTRIES
                    .iter()
                    .any(|public| registry.starts_with(public))
        })?;
        Some(format!("{file}:{number}: names the registry {bad}"))
    };
    complain(lines(&texts()).filter_map(fault).collect());
}

#[test]
fn the_table_of_examples_lists_the_examples() {
    let files = tracked();
    let crates: BTreeSet<_> = files
        .iter()
        .filter_map(|file| file.strip_prefix("examples/")?.strip_suffix("/Cargo.toml"))
        .collect();
    let table = match files.contains("examples/README.md") {
        true => read("examples/README.md"),
        false => String::new(),
    };
    let rows = table.lines().filter(|line| line.starts_with("| ["));
    let listed: BTreeSet<_> = rows
        .filter_map(|row| {
            Some(
                row.strip_prefix("| [")?
                    .split_once(']')?
                    .0
                    .trim_matches('`'),
            )
        })
        .collect();
    assert_eq!(
        listed, crates,
        "rows of examples/README.md, and crates in examples/"
    );
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let files = tracked();
    let mut faults = Vec::new();
    for (file, text) in texts().iter().filter(|(file, _)| file.ends_with(".md")) {
        for target in links(text).filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let target_file = match path {
                "" => file.clone(),
                path => joined(file, path),
            };
            let is_folder = || {
                let folder = format!("{target_file}/");
                files.iter().any(|file| file.starts_with(&folder))
            };
            let leads = match (files.contains(&target_file), anchor) {
                (true, "") => true,
                (true, anchor) => headings(&read(&target_file)).contains(anchor),
                (false, _) => is_folder(),
            };
            if !leads {
                faults.push(format!("{file}: the link to {target} leads nowhere"));
            }
        }
    }
    complain(faults);
}

#[test]
fn the_table_of_what_was_observed_names_tests() {
    let table = read("tests/OBSERVED.md");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let shown = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "));
    let named = shown.flat_map(|(_, tests)| tests.split('`').skip(1).step_by(2));
    let named: BTreeSet<_> = named.collect();
    assert!(named.len() > 50, "{named:?}");
    let sources: Vec<_> = texts()
        .into_iter()
        .filter(|(file, _)| file.ends_with(".rs"))
        .collect();
    let is_test = |name: &str| {
        let function = format!("fn {name}()");
        sources.iter().any(|(_, text)| text.contains(&function))
    };
    let missing = named.into_iter().filter(|name| !is_test(name));
    let fault = |name| format!("tests/OBSERVED.md: no test is called {name}");
    complain(missing.map(fault).collect());
}

/// The files that git knows, by their paths from the root of the repository.
fn tracked() -> BTreeSet<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(repository())
        .output()
        .expect("git can be run");
    assert!(listed.status.success(), "the repository is a git checkout");
    let listed = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    // What is deleted and not yet committed is still listed.
    let there = listed
        .split('\0')
        .filter(|file| repository().join(file).is_file());
    there.map(str::to_owned).collect()
}

/// The files that are text.
fn texts() -> Vec<(String, String)> {
    let text = |file: String| {
        let text = fs::read_to_string(repository().join(&file)).ok()?;
        Some((file, text))
    };
    tracked().into_iter().filter_map(text).collect()
}

fn lines(texts: &[(String, String)]) -> impl Iterator<Item = (&str, usize, &str)> {
    texts.iter().flat_map(|(file, text)| {
        let lines = text.lines().enumerate();
        lines.map(move |(index, line)| (file.as_str(), index + 1, line))
    })
}

/// The first of the private folders that the line has a path into: one that begins there, and is no part of a longer one.
fn private_folder(line: &str) -> Option<&'static str> {
    PRIVATE_FOLDERS.into_iter().find(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|before| !before.is_alphanumeric() && !"._-~/}".contains(before))
        })
    })
}

/// What the line names behind `://` that is known for a registry by its host or, on a shared host, by its path.
fn registries(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>()#?,;".contains(c));
        let address = &rest[..end.unwrap_or(rest.len())];
        let host = address.split('/').next().unwrap_or_default();
        let is_known = |place: &str| REGISTRY_WORDS.iter().any(|word| place.contains(word));
        let is_registry = is_known(host) || address.contains("crates.io-index");
        is_registry.then_some(address)
    })
}

/// The targets of a document's links, its code left out.
fn links(markdown: &str) -> impl Iterator<Item = &str> {
    prose(markdown).flat_map(|line| {
        let targets = line.split("](").skip(1);
        targets.filter_map(|rest| Some(rest.split_once(')')?.0))
    })
}

/// The anchors of a document's headings, as GitHub makes them.
fn headings(markdown: &str) -> BTreeSet<String> {
    let headings = prose(markdown).filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    markdown.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// The path that a relative link in `file` leads to, from the root of the repository.
fn joined(file: &str, link: &str) -> String {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path.display().to_string()
}

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).expect("a tracked file can be read")
}

fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in it").to_owned()
}

#[track_caller]
fn complain(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

mod of_the_checks_themselves {
    use super::*;

    #[test]
    fn private_folders_are_found() {
        let [home, root, _, work] = PRIVATE_FOLDERS;
        for (line, found) in [
            (format!("see {home}ann/x"), true),
            (format!("{root}.cargo"), true),
            (format!("\"{work}main\""), true),
            (format!("https://example.org{home}x"), false),
            (format!("target{work}x"), false),
            ("/workspace-{id}".to_owned(), false),
        ] {
            assert_eq!(private_folder(&line).is_some(), found, "{line}");
        }
    }

    #[test]
    fn registries_are_found() {
        // In parts for the same reason.
        let scheme = concat!("https:", "//");
        for (line, found) in [
            (format!("{scheme}{}/x", PUBLIC_REGISTRIES[1]), true),
            (format!("index = \"sparse+{scheme}mirror.example/\""), true),
            (
                format!("{scheme}github.com/rust-lang/crates.io-index"),
                true,
            ),
            (format!("{scheme}github.com/rust-lang/rust"), false),
            ("the npmjs registry".to_owned(), false),
        ] {
            assert_eq!(registries(&line).next().is_some(), found, "{line}");
        }
    }

    #[test]
    fn links_and_anchors_are_read() {
        let text = "# A `b`: c\n[x](a.md) and [y](../b#c)\n```\n[z](no)\n```\n";
        assert_eq!(links(text).collect::<Vec<_>>(), ["a.md", "../b#c"]);
        assert!(headings(text).contains("a-b-c"));
        assert_eq!(joined("docs/A.md", "../tests/x.rs"), "tests/x.rs");
        assert_eq!(joined("README.md", "docs/"), "docs");
    }
}
