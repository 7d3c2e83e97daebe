//! Where a namespace is: a path, or how to write one.

use super::text::{doc, key, line};
use serde_json::Value;

/// `NAMESPACE`: the path, or of a dynamic namespace a function from its values to the path.
pub(super) fn namespace(path: &str) -> String {
    let mut out = String::new();
    let (first, values) = parts(path);
    if values.is_empty() {
        line(
            &mut out,
            format_args!("export const NAMESPACE = {};", Value::from(path)),
        );
        return out;
    }
    let fields: Vec<_> = values
        .iter()
        .map(|(name, _)| format!("{}: string | number | boolean", key(name)))
        .collect();
    doc(&mut out, 0, "The path of the namespace with these values.");
    line(
        &mut out,
        format_args!(
            "export const NAMESPACE = (values: {{ {} }}): string =>",
            fields.join("; ")
        ),
    );
    let mut terms = Vec::new();
    terms.extend((!first.is_empty()).then(|| Value::from(first).to_string()));
    for (name, literal) in values {
        let property = match key(name) {
            plain if plain == name => format!(".{name}"),
            quoted => format!("[{quoted}]"),
        };
        let mut term = format!("encodeURIComponent(values{property})");
        // The character behind a value is written as a number in it, so that the value's end can be told.
        if let Some(next) = literal.chars().next().filter(|&next| stays_plain(next)) {
            let number = u32::from(next);
            term += &format!(
                ".split({}).join(\"%{number:02X}\")",
                Value::from(next.to_string())
            );
        }
        terms.push(term);
        terms.extend((!literal.is_empty()).then(|| Value::from(literal).to_string()));
    }
    line(&mut out, format_args!("  {};", terms.join(" + ")));
    out
}

/// What stands before the values, and each value with what stands behind it.
fn parts(path: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default();
    (
        first,
        parts.filter_map(|part| part.split_once('}')).collect(),
    )
}

/// Whether `encodeURIComponent` leaves a character as it is.
fn stays_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_is_a_constant() {
        assert_eq!(namespace("/chat"), "export const NAMESPACE = \"/chat\";\n");
    }

    #[test]
    fn many_paths_are_a_function() {
        let written = namespace("/{team}-{2d}/x");
        let expected = concat!(
            "/** The path of the namespace with these values. */\n",
            "export const NAMESPACE = (values: { team: string | number | boolean; \"2d\": string | number | boolean }): string =>\n",
            "  \"/\" + encodeURIComponent(values.team).split(\"-\").join(\"%2D\") + \"-\" + encodeURIComponent(values[\"2d\"]) + \"/x\";\n",
        );
        assert_eq!(written, expected);
    }
}
