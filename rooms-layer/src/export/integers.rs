//! Integers that JavaScript can't hold.

use super::document::{Acknowledgement, Event, Lists};
use serde_json::Value;
use std::collections::BTreeMap;

/// Says where there are any in what the events themselves have.
pub(super) fn in_lists(lists: &Lists) -> Vec<String> {
    let mut places = Vec::new();
    for event in lists.server.iter().chain(&lists.client) {
        in_event(event, &mut places);
    }
    if let Some(auth) = &lists.auth {
        find(auth, "", "`auth`", &mut places);
    }
    places
}

/// Says where there are any in types.
pub(super) fn in_definitions(definitions: &BTreeMap<String, Value>) -> Vec<String> {
    let mut places = Vec::new();
    for (name, schema) in definitions {
        find(schema, "", &format!("`{name}`"), &mut places);
    }
    places
}

fn in_event(event: &Event, places: &mut Vec<String>) {
    let name = event.name;
    for argument in &event.arguments {
        let place = format!("argument `{}` of event `{name}`", argument.name);
        find(&argument.schema, "", &place, places);
    }
    let place = format!("the acknowledgement of event `{name}`");
    match &event.ack {
        Acknowledgement::None => {}
        Acknowledgement::Reply(value) => find(value, "", &place, places),
        Acknowledgement::Fallible { value, error } => {
            find(value, "", &place, places);
            find(error, "", &place, places);
        }
    }
}

/// Looks through a schema. `field` is where in `owner` it stands.
fn find(schema: &Value, field: &str, owner: &str, places: &mut Vec<String>) {
    let Some(object) = schema.as_object() else {
        return;
    };
    if let Some(ty) = big_integer(schema) {
        places.push(match field {
            "" => format!("{owner} holds a `{ty}`"),
            field => format!("field `{field}` of {owner} holds a `{ty}`"),
        });
    }
    for (key, child) in object {
        match (key.as_str(), child) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    let field = match field {
                        "" => name.clone(),
                        field => format!("{field}.{name}"),
                    };
                    find(property, &field, owner, places);
                }
            }
            ("patternProperties", Value::Object(patterns)) => {
                for value in patterns.values() {
                    find(value, field, owner, places);
                }
            }
            ("default" | "examples" | "const" | "enum", _) => {}
            (_, Value::Array(children)) => {
                for child in children {
                    find(child, field, owner, places);
                }
            }
            (_, child) => find(child, field, owner, places),
        }
    }
}

/// The Rust type that the schema of an integer stands for, if that has more than the 53 bits of a JavaScript number.
fn big_integer(schema: &Value) -> Option<&'static str> {
    let is_integer = match &schema["type"] {
        Value::Array(types) => types.iter().any(|ty| ty == "integer"),
        ty => ty == "integer",
    };
    let ty = match schema["format"].as_str()? {
        "int64" => "i64",
        "uint64" => "u64",
        "int" => "isize",
        "uint" => "usize",
        "int128" => "i128",
        "uint128" => "u128",
        _ => return None,
    };
    is_integer.then_some(ty)
}
