//! Schemas as type expressions.

use super::{
    super::schemas,
    text::{description, doc, indent, key, line},
};
use serde_json::{Map, Value};

/// The longest array that is written as a tuple.
const SHORT: usize = 8;

/// A type expression.
pub(super) struct Ty {
    pub(super) text: String,
    /// Whether it is a union or an intersection, which need parentheses inside of others.
    is_compound: bool,
}

impl Ty {
    /// The type of what a schema allows, for a line that is indented `depth` steps.
    pub(super) fn of(schema: &Value, depth: usize) -> Self {
        let mut parts = parts(schema, depth);
        match parts.len() {
            0 => Ty::plain("unknown"),
            1 => parts.remove(0),
            _ => {
                let parts: Vec<String> = parts.into_iter().map(Ty::nested).collect();
                Ty::compound(parts.join(" & "))
            }
        }
    }

    fn plain(text: impl Into<String>) -> Self {
        Ty {
            text: text.into(),
            is_compound: false,
        }
    }

    fn compound(text: String) -> Self {
        Ty {
            text,
            is_compound: true,
        }
    }

    /// Any of the types; none if one is `unknown`, which swallows the others.
    fn union(members: impl Iterator<Item = Ty>) -> Option<Self> {
        let mut texts: Vec<String> = Vec::new();
        for member in members {
            // No parentheses: `&` binds tighter than `|`, and a union in a union is one.
            let text = member.text;
            if text == "unknown" {
                return None;
            }
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        Some(match texts.len() {
            1 => Ty::plain(texts.remove(0)),
            _ => Ty::compound(texts.join(" | ")),
        })
    }

    fn nested(self) -> String {
        match self.is_compound {
            true => format!("({})", self.text),
            false => self.text,
        }
    }
}

/// The fields of a schema that asks for nothing else.
pub(super) fn interface(schema: &Value) -> Option<String> {
    let is_object = schema["type"] == "object" && !rows(schema, 0).is_empty();
    let is_more = ["$ref", "allOf", "oneOf", "anyOf"].map(|key| schema.get(key).is_some());
    (is_object && !is_more.contains(&true)).then(|| block(&rows(schema, 1), 0))
}

/// What a schema asks for at once: its type is the intersection.
fn parts(schema: &Value, depth: usize) -> Vec<Ty> {
    let Some(object) = schema.as_object() else {
        return match schema {
            Value::Bool(false) => vec![Ty::plain("never")],
            _ => Vec::new(),
        };
    };
    if let Some(name) = schemas::reference(schema) {
        return vec![Ty::plain(name)];
    }
    if let Some(value) = object.get("const") {
        return vec![Ty::plain(value.to_string())];
    }
    if let Some(Value::Array(values)) = object.get("enum") {
        let values = values.iter().map(|value| Ty::plain(value.to_string()));
        return Ty::union(values).into_iter().collect();
    }
    let mut found = Vec::new();
    for all in list(object, "allOf") {
        found.extend(parts(all, depth));
    }
    for any in ["oneOf", "anyOf"] {
        if object.contains_key(any) {
            found.extend(Ty::union(list(object, any).map(|one| Ty::of(one, depth))));
        }
    }
    match object.get("type") {
        Some(Value::Array(types)) => {
            let types = types.iter().filter_map(Value::as_str);
            let types = types.filter_map(|ty| of_type(ty, schema, depth));
            found.extend(Ty::union(types));
        }
        // Beside other parts, an object without fields says no more than that they are objects.
        Some(Value::String(ty)) if ty == "object" && !found.is_empty() && is_bare(schema) => {}
        Some(Value::String(ty)) => found.extend(of_type(ty, schema, depth)),
        _ if object.contains_key("properties") => found.push(fields(schema, depth)),
        _ => {}
    }
    found
}

fn of_type(ty: &str, schema: &Value, depth: usize) -> Option<Ty> {
    Some(match ty {
        "integer" | "number" => Ty::plain("number"),
        "array" => array(schema, depth),
        "object" => fields(schema, depth),
        "string" | "boolean" | "null" => Ty::plain(ty),
        _ => return None,
    })
}

fn array(schema: &Value, depth: usize) -> Ty {
    Ty::plain(match &schema["items"] {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| Ty::of(item, depth).text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null => "unknown[]".into(),
        item => {
            let item = Ty::of(item, depth);
            match length(schema) {
                Some(length) => format!("[{}]", vec![item.text; length].join(", ")),
                None => format!("{}[]", item.nested()),
            }
        }
    })
}

/// The length of an array that has always the same, if it is short enough to write it out.
fn length(schema: &Value) -> Option<usize> {
    let is_fixed = schema["minItems"] == schema["maxItems"];
    let length = schema["minItems"].as_u64().filter(|_| is_fixed)?;
    usize::try_from(length)
        .ok()
        .filter(|length| (1..=SHORT).contains(length))
}

/// An object: on one line, unless its fields are described.
fn fields(schema: &Value, depth: usize) -> Ty {
    let rows = rows(schema, depth + 1);
    if rows.is_empty() {
        return Ty::plain(match others(schema, depth) {
            Some(others) => format!("{{ [key: string]: {} }}", others.text),
            None => "{ [key: string]: never }".into(),
        });
    }
    Ty::plain(match rows.iter().all(|row| row.doc.is_empty()) {
        true => {
            let fields: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
            format!("{{ {} }}", fields.join("; "))
        }
        false => block(&rows, depth),
    })
}

/// A field with its doc comment.
struct Row {
    doc: String,
    text: String,
}

/// The named fields in the order of their declaration, as far as schemas keep it: those that are required, then the others. At
/// the end what all other keys hold, if they may hold anything.
fn rows(schema: &Value, depth: usize) -> Vec<Row> {
    let Some(properties) = schema["properties"].as_object() else {
        return Vec::new();
    };
    let required: Vec<&str> = match &schema["required"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut optional: Vec<&str> = properties.keys().map(String::as_str).collect();
    optional.retain(|name| !required.contains(name));
    optional.sort_unstable();
    let has_optional = !optional.is_empty();
    let required = required.into_iter().map(|name| (name, ""));
    let optional = optional.into_iter().map(|name| (name, "?"));
    let (mut rows, mut types) = (Vec::new(), Vec::new());
    for (name, mark) in required.chain(optional) {
        if let Some(field) = properties.get(name) {
            let ty = Ty::of(field, depth);
            rows.push(Row {
                doc: description(field),
                text: format!("{}{mark}: {}", key(name), ty.text),
            });
            types.push(ty);
        }
    }
    if let Some(others) = others(schema, depth).filter(|_| !rows.is_empty()) {
        // In TypeScript the type of all other keys has to hold that of the named ones.
        types.insert(0, others);
        types.extend(has_optional.then(|| Ty::plain("undefined")));
        let all = Ty::union(types.into_iter()).unwrap_or_else(|| Ty::plain("unknown"));
        rows.push(Row {
            doc: String::new(),
            text: format!("[key: string]: {}", all.text),
        });
    }
    rows
}

/// What the keys hold that have no names of their own, as in a map.
fn others(schema: &Value, depth: usize) -> Option<Ty> {
    let patterns = schema["patternProperties"].as_object();
    let patterns = patterns.into_iter().flat_map(Map::values);
    let rest = match &schema["additionalProperties"] {
        Value::Null | Value::Bool(false) => None,
        rest => Some(rest),
    };
    let mut values = patterns.chain(rest).peekable();
    values.peek()?;
    let union = Ty::union(values.map(|value| Ty::of(value, depth)));
    Some(union.unwrap_or_else(|| Ty::plain("unknown")))
}

fn block(rows: &[Row], depth: usize) -> String {
    let mut out = String::from("{\n");
    for row in rows {
        doc(&mut out, depth + 1, &row.doc);
        let indent = indent(depth + 1);
        line(&mut out, format_args!("{indent}{};", row.text));
    }
    out + &indent(depth) + "}"
}

fn is_bare(schema: &Value) -> bool {
    rows(schema, 0).is_empty() && others(schema, 0).is_none()
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> {
    let items = object.get(key).and_then(Value::as_array);
    items.into_iter().flatten()
}
