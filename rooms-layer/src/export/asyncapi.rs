//! A contract as an AsyncAPI 3.0 document, from the server's point of view: what it sends and what it receives.

use super::{
    document::{Acknowledgement, Document, Event},
    names, schemas,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) fn document(document: &Document, title: &str, version: &str) -> Value {
    let mut parts = Parts::default();
    for (action, events) in [
        ("send", &document.lists.server),
        ("receive", &document.lists.client),
    ] {
        for event in events {
            parts.add(action, event);
        }
    }
    let mut events = json!({ "address": document.path, "messages": parts.events });
    let values = values(document.path);
    if !values.is_empty() {
        events["parameters"] = Value::Object(values);
    }
    if let Some(auth) = &document.lists.auth {
        // The format has no place for what a connection begins with, but room for extensions.
        events["x-auth"] = auth.clone();
    }
    let mut channels = json!({ "events": events });
    if !parts.acks.is_empty() {
        // An acknowledgement goes back over the connection that its event came from.
        channels["acks"] = json!({ "address": null, "messages": parts.acks });
    }
    schemas::sorted(json!({
        "asyncapi": "3.0.0",
        "info": { "title": title, "version": version },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": parts.operations,
        "components": { "messages": parts.messages, "schemas": document.definitions },
    }))
}

#[derive(Default)]
struct Parts {
    taken: BTreeSet<String>,
    messages: Map<String, Value>,
    operations: Map<String, Value>,
    /// The messages of the two channels.
    events: Map<String, Value>,
    acks: Map<String, Value>,
}

impl Parts {
    fn add(&mut self, action: &str, event: &Event) {
        let name = event
            .name
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let id = names::unique(format!("{action}_{name}"), &mut self.taken);
        let mut message = json!({ "name": event.name, "payload": arguments(event) });
        let mut operation = json!({
            "action": action,
            "channel": { "$ref": "#/channels/events" },
            "messages": [{ "$ref": format!("#/channels/events/messages/{id}") }],
        });
        if !event.doc.is_empty() {
            message["description"] = event.doc.into();
        }
        self.messages.insert(id.clone(), message);
        self.events.insert(id.clone(), reference(&id));
        if let Some(payload) = acknowledgement(&event.ack) {
            let ack = names::unique(format!("{id}_ack"), &mut self.taken);
            let message =
                json!({ "name": format!("{} (acknowledgement)", event.name), "payload": payload });
            self.messages.insert(ack.clone(), message);
            self.acks.insert(ack.clone(), reference(&ack));
            operation["reply"] = json!({
                "channel": { "$ref": "#/channels/acks" },
                "messages": [{ "$ref": format!("#/channels/acks/messages/{ack}") }],
            });
        }
        self.operations.insert(id, operation);
    }
}

/// The values in the path of a dynamic namespace; the format writes them as we do.
fn values(path: &str) -> Map<String, Value> {
    let braces = path.split('{').skip(1);
    braces
        .filter_map(|value| Some((value.split_once('}')?.0.to_owned(), json!({}))))
        .collect()
}

fn reference(message: &str) -> Value {
    json!({ "$ref": format!("#/components/messages/{message}") })
}

/// The arguments of an event: an array of as many.
fn arguments(event: &Event) -> Value {
    let count = event.arguments.len();
    let mut payload = json!({ "type": "array", "minItems": count, "maxItems": count });
    if count > 0 {
        payload["items"] = event
            .arguments
            .iter()
            .map(|argument| argument.schema.clone())
            .collect();
    }
    payload
}

fn acknowledgement(ack: &Acknowledgement) -> Option<Value> {
    let half = |ok: bool, name: &str, schema: &Value| {
        json!({
            "type": "object",
            "properties": { "ok": { "const": ok }, name: schema },
            "required": ["ok", name],
        })
    };
    match ack {
        Acknowledgement::None => None,
        Acknowledgement::Reply(value) => Some(value.clone()),
        Acknowledgement::Fallible { value, error } => {
            Some(json!({ "oneOf": [half(true, "value", value), half(false, "error", error)] }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_path_are_parameters() {
        let names = |path| values(path).into_iter().map(|(name, _)| name);
        assert_eq!(names("/").count(), 0);
        let of_board = names("/{team}/board-{id}!");
        assert_eq!(of_board.collect::<Vec<_>>(), ["id", "team"]);
    }
}
