//! Lines, comments and keys.

use serde_json::Value;
use std::fmt::{Arguments, Write};

pub(super) fn line(out: &mut String, text: Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes everything");
}

pub(super) fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

pub(super) fn doc(out: &mut String, depth: usize, text: &str) {
    // Links into rustdoc lead nowhere here.
    let text = text.replace("[`", "`").replace("`]", "`");
    let text = text.replace("*/", "*\\/");
    let indent = indent(depth);
    match text.lines().count() {
        0 => {}
        1 => line(out, format_args!("{indent}/** {text} */")),
        _ => {
            line(out, format_args!("{indent}/**"));
            for text in text.lines() {
                let text = format!("{indent} * {text}");
                line(out, format_args!("{}", text.trim_end()));
            }
            line(out, format_args!("{indent} */"));
        }
    }
}

/// The doc comment that a schema carries. Its heading is a field of its own.
pub(super) fn description(schema: &Value) -> String {
    let texts = ["title", "description"].map(|key| schema[key].as_str().unwrap_or_default());
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// The name of a property, in quotes where it is no identifier.
pub(super) fn key(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    match name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true if !name.is_empty() => name.to_owned(),
        _ => Value::from(name).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (name, expected) in [
            ("title", "title"),
            ("$set", "$set"),
            ("project updated", "\"project updated\""),
            ("2d", "\"2d\""),
            ("", "\"\""),
            ("a\"b", "\"a\\\"b\""),
        ] {
            assert_eq!(key(name), expected);
        }
    }

    #[test]
    fn comments() {
        for (text, expected) in [
            ("", ""),
            ("One line.", "  /** One line. */\n"),
            ("One.\n\nTwo.", "  /**\n   * One.\n   *\n   * Two.\n   */\n"),
            ("See [`Task`].", "  /** See `Task`. */\n"),
            ("It ends */ here.", "  /** It ends *\\/ here. */\n"),
        ] {
            let mut out = String::new();
            doc(&mut out, 1, text);
            assert_eq!(out, expected);
        }
    }
}
