//! Names of types and arguments that TypeScript takes, made from those of Rust.

use super::{document::Argument, schemas};
use serde_json::Value;
use std::collections::BTreeSet;

/// The type of attachments.
pub(super) const BYTES: &str = "Bytes";

/// What types may not be called, because the exported module means something else by it.
pub(super) const RESERVED: [&str; 6] = [
    "ArrayBuffer",
    "ClientToServerEvents",
    "NAMESPACE",
    "Result",
    "ServerToClientEvents",
    "Uint8Array",
];

/// What parameters may not be called: the words that JavaScript keeps in modules.
const KEYWORDS: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
];

/// The name of a type: its words, each with a capital.
pub(super) fn ty(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let name: String = words.map(|word| with_first(word, true)).collect();
    match name.chars().next() {
        Some(first) if !first.is_numeric() => name,
        _ => format!("Type{name}"),
    }
}

/// The name of a generic type, such as `PageOfTask` for `app::Page<app::Task>`, if `given` is only that of the type without its
/// parameters.
pub(super) fn generic(rust: &str, given: &str) -> Option<String> {
    let (_, parameters) = rust.split_once('<')?;
    let plain = plain(rust);
    if !is_numbered(given, plain) {
        return None;
    }
    let (mut name, mut join) = (with_first(plain, true), "Of");
    for word in parameters.split_inclusive(['<', ',', '>', ' ', '(', ')', '[', ']', ';', '&']) {
        let (segment, separator) = word.split_at(word.len() - 1);
        let segment = segment.rsplit("::").next().unwrap_or_default();
        // Lifetimes tell nothing of the shape.
        if !segment.is_empty() && !segment.starts_with('\'') {
            name += join;
            name += &ty(segment);
            join = "";
        }
        match separator {
            "<" => join = "Of",
            "," if join.is_empty() => join = "And",
            _ => {}
        }
    }
    (join != "Of").then_some(name)
}

/// The name of an argument: from the first words of its doc comment, `x` or `x: how far to the right`, or else from its type.
pub(super) fn argument(doc: &str, schema: &Value, rust: &str) -> String {
    let first_line = doc.lines().next().unwrap_or_default();
    let word = first_line.split(':').next().unwrap_or_default();
    let word = word.trim().trim_matches('`');
    let is_word = word.starts_with(|c: char| c.is_alphabetic())
        && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let given = schemas::reference(schema);
    let name = match (&given, plain(rust)) {
        _ if is_word => word,
        (Some(given), plain) if is_numbered(given, plain) => plain,
        (Some(given), _) => given,
        (None, _) => "value",
    };
    with_first(&ty(name), false)
}

/// The name of a type without its path and its parameters.
fn plain(rust: &str) -> &str {
    let path = rust.split('<').next().unwrap_or(rust);
    path.rsplit("::").next().unwrap_or(path)
}

/// Whether `given` is the name, or that with the number by which the generator tells apart what is named alike.
fn is_numbered(given: &str, name: &str) -> bool {
    let number = given.strip_prefix(name);
    number.is_some_and(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Names the arguments of an event, so that no two share a name.
pub(super) fn arguments(mut arguments: Vec<Argument>) -> Vec<Argument> {
    let mut taken: BTreeSet<String> = KEYWORDS.iter().map(|word| word.to_string()).collect();
    taken.insert("ack".into());
    for argument in &mut arguments {
        argument.name = unique(std::mem::take(&mut argument.name), &mut taken);
    }
    arguments
}

/// The name, or if it is taken, with a number behind it.
pub(super) fn unique(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let free = std::iter::once(name.clone())
        .chain(numbered)
        .find(|name| !taken.contains(name));
    let free = free.unwrap_or(name);
    taken.insert(free.clone());
    free
}

fn with_first(word: &str, capital: bool) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| match capital {
        true => first.to_uppercase().to_string(),
        false => first.to_lowercase().to_string(),
    });
    first
        .into_iter()
        .chain([chars.as_str().to_owned()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types() {
        for (name, expected) in [
            ("Task", "Task"),
            ("task_list", "TaskList"),
            ("Page<Task>", "PageTask"),
            ("2d", "Type2d"),
            ("", "Type"),
        ] {
            assert_eq!(ty(name), expected);
        }
    }

    #[test]
    fn generic_types() {
        for (rust, given, expected) in [
            ("app::Task", "Task", None),
            ("app::Page<app::Task>", "Page", Some("PageOfTask")),
            ("app::Page<app::Task>", "Page2", Some("PageOfTask")),
            ("app::Page<app::Task>", "Tasks", None),
            (
                "app::Page<alloc::vec::Vec<u8>>",
                "Page",
                Some("PageOfVecOfU8"),
            ),
            (
                "app::Pair<app::A, (u8, app::B)>",
                "Pair",
                Some("PairOfAAndU8AndB"),
            ),
            ("app::Renamed<'_>", "Renamed", None),
            (
                "app::Changed<'_, app::Task>",
                "Changed",
                Some("ChangedOfTask"),
            ),
            ("app::Changed<&str>", "Changed", Some("ChangedOfStr")),
        ] {
            assert_eq!(generic(rust, given).as_deref(), expected, "{rust}");
        }
    }

    #[test]
    fn argument_names() {
        let id = json!({ "$ref": "#/components/schemas/ProjectId" });
        for (doc, expected) in [
            ("", "projectId"),
            ("x", "x"),
            ("`first_name`: as it is written", "firstName"),
            ("How far to the right.", "projectId"),
        ] {
            assert_eq!(argument(doc, &id, "app::ProjectId"), expected);
        }
        let numbered = json!({ "$ref": "#/components/schemas/Page2" });
        assert_eq!(argument("", &numbered, "app::Page<app::Task>"), "page");
        assert_eq!(argument("", &numbered, "alloc::boxed::Box<u8>"), "page2");
        assert_eq!(argument("", &json!({ "type": "number" }), "u8"), "value");
    }

    #[test]
    fn names_are_used_once() {
        let names = ["x", "x", "ack", "default", "x"].map(|name| Argument {
            name: name.into(),
            schema: json!(true),
        });
        let names = arguments(names.into())
            .into_iter()
            .map(|argument| argument.name);
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["x", "x2", "ack2", "default2", "x3"]
        );
    }
}
