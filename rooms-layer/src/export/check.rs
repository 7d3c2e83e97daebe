//! The test that a checked-in contract is that of the Rust types.

use std::{
    env,
    fmt::{Display, Write},
    fs, io,
    path::Path,
    thread,
};

/// When this is set, a stale contract is written anew instead of complained about.
const UPDATE: &str = "UPDATE_CONTRACT";
/// How many lines of a difference are shown.
const SHOWN: usize = 40;
/// How far apart two texts may run before they are taken for different from there on.
const REACH: usize = 400;

/// Checks that a file holds what is exported now.
///
/// It is all that a test needs, since tests run in the folder of their package:
///
/// ```no_run
/// # use rooms_layer::{export, prelude::*};
/// # #[derive(Namespace)] #[namespace(path = "/")] struct App;
/// // In a crate of your own, `#[test]` stands here.
/// fn contract_is_current() {
///     export::check("page/src/contract.ts", export::typescript::<App>());
/// }
/// # contract_is_current();
/// ```
///
/// With the environment variable `UPDATE_CONTRACT=1` it writes the file instead. JSON is laid out on many lines, and line ends
/// are not compared.
///
/// # Panics
///
/// Panics with the lines that differ and with the command that refreshes the file when it is stale or missing, when it can't
/// be written, and with the error when `exported` is one.
#[track_caller]
pub fn check<T: Display, E: Display>(path: impl AsRef<Path>, exported: Result<T, E>) {
    let update = env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0");
    if let Err(complaint) = compare(path.as_ref(), exported, update) {
        panic!("{complaint}");
    }
}

fn compare<T: Display, E: Display>(
    path: &Path,
    exported: Result<T, E>,
    update: bool,
) -> Result<(), String> {
    let exported = exported.map_err(|error| error.to_string())?;
    let mut current = format!("{exported:#}");
    if !current.ends_with('\n') {
        current.push('\n');
    }
    let shown = path.display();
    let stored = match fs::read_to_string(path) {
        Ok(stored) => stored.replace("\r\n", "\n"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("can't read the contract {shown}: {error}")),
    };
    if stored == current {
        return Ok(());
    }
    if update {
        let folder = path.parent().unwrap_or(Path::new(""));
        return fs::create_dir_all(folder)
            .and_then(|()| fs::write(path, current))
            .map_err(|error| format!("can't write the contract {shown}: {error}"));
    }
    let difference = difference(&stored, &current);
    let command = command();
    Err(format!(
        "the contract {shown} is stale: it is not what the Rust types say\n\n{difference}\nrefresh it with\n\n    {command}\n"
    ))
}

/// The test that runs, with the variable that makes it write.
fn command() -> String {
    let mut command = format!("{UPDATE}=1 cargo test");
    if let Ok(package) = env::var("CARGO_PKG_NAME") {
        command += " -p ";
        command += &package;
    }
    if let Some(test) = thread::current().name().filter(|name| *name != "main") {
        command += " ";
        command += test;
    }
    command
}

/// The lines that differ, each with its number in the file that it is in: `-` in the old one, `+` in the new one.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (less, more) = next_common(&old[i..], &new[j..]);
        let removed = old[i..].iter().take(less).enumerate();
        lines.extend(removed.map(|(at, line)| (i + at, '-', *line)));
        let added = new[j..].iter().take(more).enumerate();
        lines.extend(added.map(|(at, line)| (j + at, '+', *line)));
        (i, j) = (i + less, j + more);
    }
    let mut text = String::new();
    for (number, sign, line) in lines.iter().take(SHOWN) {
        writeln!(text, "{:>5} {sign} {line}", number + 1).expect("a string takes everything");
    }
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        writeln!(text, "      and {more} more lines").expect("a string takes everything");
    }
    text
}

/// How many lines of each to leave out so that both go on alike: as few as can be.
fn next_common(old: &[&str], new: &[&str]) -> (usize, usize) {
    for both in 1..REACH.min(old.len() + new.len()) {
        for less in 0..=both {
            let more = both - less;
            if let (Some(one), Some(other)) = (old.get(less), new.get(more))
                && one == other
            {
                return (less, more);
            }
        }
    }
    (old.len(), new.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn differences() {
        for (old, new, expected) in [
            ("a\nb\nc\n", "a\nb\nc\n", ""),
            ("a\nb\nc\n", "a\nc\n", "    2 - b\n"),
            ("a\nc\n", "a\nb\nc\n", "    2 + b\n"),
            ("a\nb\nc\n", "a\nx\nc\n", "    2 - b\n    2 + x\n"),
            ("", "a\n", "    1 + a\n"),
            ("a\n", "", "    1 - a\n"),
            ("a\nb\nc\nd\n", "b\nc\nd\ne\n", "    1 - a\n    4 + e\n"),
        ] {
            assert_eq!(difference(old, new), expected);
        }
        let long = "x\n".repeat(100);
        assert!(difference("", &long).ends_with("and 60 more lines\n"));
    }

    #[test]
    fn files() {
        let folder = env::temp_dir().join(format!("rooms-export-check-{}", std::process::id()));
        let file = folder.join("deeper/contract.ts");
        let check = |text: &str, update| compare(&file, Ok::<_, Infallible>(text), update);
        let complaint = check("one\n", false).expect_err("there is no file");
        assert!(complaint.contains("    1 + one\n"), "{complaint}");
        assert!(
            complaint.contains("UPDATE_CONTRACT=1 cargo test"),
            "{complaint}"
        );
        assert!(
            complaint.contains("export::check::tests::files"),
            "{complaint}"
        );
        check("one\n", true).expect("it is written");
        check("one", false).expect("it is current");
        fs::write(&file, "one\r\n").expect("a writable file");
        check("one\n", false).expect("line ends are not compared");
        let complaint = check("two\n", false).expect_err("it is stale");
        assert!(
            complaint.contains("    1 - one\n    1 + two\n"),
            "{complaint}"
        );
        let complaint = compare(&file, Err::<&str, _>("refused"), true).expect_err("an error");
        assert_eq!(complaint, "refused");
        fs::remove_dir_all(folder).expect("a removable folder");
    }
}
