//! The schemas of a contract's payloads: one set for what is sent, one for what is received, and how the two become one.

use super::{document::Lists, names};
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where definitions are found: in an AsyncAPI document as it is.
const DEFINITIONS: &str = "/components/schemas";
const REFERENCE: &str = "#/components/schemas/";
/// What a type is called behind its name if clients may send it in another form than they get it.
const RECEIVED: &str = "Input";

/// The types that travel one way. With serde's attributes a type may be read in another form than it is written: a field with
/// a default may be left out, one that is skipped if empty may be missing.
#[derive(Debug)]
pub struct Side {
    generator: SchemaGenerator,
    /// The names of generic types, as far as they are known, by those that the generator gave them.
    generics: BTreeMap<String, String>,
    /// By name, once all is described.
    pub(super) definitions: BTreeMap<String, Value>,
}

impl Side {
    pub(super) fn sent() -> Self {
        Side::new(SchemaSettings::draft07().for_serialize())
    }

    pub(super) fn received() -> Self {
        Side::new(SchemaSettings::draft07().for_deserialize())
    }

    fn new(mut settings: SchemaSettings) -> Self {
        // JSON Schema has a draft 7 because AsyncAPI knows no later one.
        settings.definitions_path = DEFINITIONS.into();
        let mut generator = settings.into_generator();
        // The first type of a name gets it, so that this one is certainly ours.
        generator.subschema_for::<Bytes>();
        Side {
            generator,
            generics: BTreeMap::new(),
            definitions: BTreeMap::new(),
        }
    }

    /// Describes a type, whose name in Rust is `rust`.
    pub(super) fn add(
        &mut self,
        describe: impl FnOnce(&mut SchemaGenerator) -> Schema,
        rust: &str,
    ) -> Value {
        let mut schema = describe(&mut self.generator);
        for transform in self.generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        let schema = schema.to_value();
        if let Some(given) = reference(&schema)
            && let Some(generic) = names::generic(rust, &given)
        {
            self.generics.insert(given, generic);
        }
        schema
    }

    /// Keeps the definitions that are needed for `uses`, under names that every language takes.
    pub(super) fn finish(&mut self, mut uses: Vec<&mut Value>) {
        let mut definitions: BTreeMap<String, Value> =
            self.generator.take_definitions(true).into_iter().collect();
        // To serde, attachments are arrays of numbers. On the wire they are attachments.
        definitions.insert(names::BYTES.into(), binary());
        let needed = needed(&definitions, &uses);
        definitions.retain(|name, _| needed.contains(name));
        let mut taken: BTreeSet<String> = names::RESERVED.map(String::from).into();
        let renamed: BTreeMap<String, String> = definitions
            .keys()
            .map(|given| {
                let name = self.generics.get(given).unwrap_or(given);
                (given.clone(), names::unique(names::ty(name), &mut taken))
            })
            .collect();
        for schema in definitions.values_mut() {
            rename(schema, &renamed);
        }
        uses.iter_mut().for_each(|schema| rename(schema, &renamed));
        let definitions = definitions.into_iter();
        self.definitions = definitions
            .filter_map(|(given, schema)| Some((renamed.get(&given)?.clone(), schema)))
            .collect();
    }
}

/// The definitions of both sides. Of a type that is read in another form than it is written, there are two.
pub(super) fn unite(sent: Side, received: Side, lists: &mut Lists) -> BTreeMap<String, Value> {
    let (mut all, received) = (sent.definitions, received.definitions);
    let mut differing: BTreeSet<&String> = BTreeSet::new();
    loop {
        let differs = |name: &&String| {
            let (Some(one), Some(other)) = (all.get(*name), received.get(*name)) else {
                return false;
            };
            let refers_to_one = references(other).any(|name| differing.contains(&name));
            one != other || refers_to_one
        };
        let found: BTreeSet<&String> = received.keys().filter(differs).collect();
        if found.len() == differing.len() {
            break;
        }
        differing = found;
    }
    let mut taken = all.keys().chain(received.keys()).cloned().collect();
    let renamed: BTreeMap<String, String> = differing
        .into_iter()
        .map(|name| {
            let other = names::unique(format!("{name}{RECEIVED}"), &mut taken);
            (name.clone(), other)
        })
        .collect();
    for schema in lists.of_side(false) {
        rename(schema, &renamed);
    }
    for (name, mut schema) in received {
        rename(&mut schema, &renamed);
        let name = renamed.get(&name).cloned().unwrap_or(name);
        all.insert(name, schema);
    }
    all
}

/// The name of the definition that a schema is nothing but a reference to.
pub(super) fn reference(schema: &Value) -> Option<String> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix(REFERENCE)?;
    Some(decode(name))
}

fn binary() -> Value {
    json!({
        "type": "string",
        "format": "binary",
        "description": "A binary attachment. Browsers receive an `ArrayBuffer`, Node a `Buffer`; either may be sent.",
    })
}

/// The names of all definitions that the schemas lead to.
fn needed(definitions: &BTreeMap<String, Value>, uses: &[&mut Value]) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut waiting: Vec<String> = uses.iter().flat_map(|schema| references(schema)).collect();
    while let Some(name) = waiting.pop() {
        if let Some(schema) = definitions.get(&name)
            && needed.insert(name)
        {
            waiting.extend(references(schema));
        }
    }
    needed
}

/// The names of the definitions that a schema refers to anywhere.
fn references(schema: &Value) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    collect_references(schema, &mut found);
    found.into_iter()
}

fn collect_references(schema: &Value, found: &mut Vec<String>) {
    found.extend(reference(schema));
    let children: Vec<&Value> = match schema {
        Value::Object(object) => object.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    children
        .into_iter()
        .for_each(|child| collect_references(child, found));
}

fn rename(schema: &mut Value, names: &BTreeMap<String, String>) {
    if let Some(new) = reference(schema).and_then(|name| names.get(&name)) {
        schema["$ref"] = format!("{REFERENCE}{new}").into();
    }
    match schema {
        Value::Object(object) => object.values_mut().for_each(|child| rename(child, names)),
        Value::Array(items) => items.iter_mut().for_each(|child| rename(child, names)),
        _ => {}
    }
}

/// A name out of a reference: percent-encoded UTF-8, in which a JSON pointer spells `~` and `/` in its own way.
fn decode(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    let name = String::from_utf8_lossy(&bytes);
    name.replace("~1", "/").replace("~0", "~")
}

/// The same with the keys of all objects in order, which they are not where a dependency asks serde_json to preserve theirs.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let object: BTreeMap<String, Value> = object.into_iter().collect();
            let object = object.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(object.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn names_in_references() {
        for (encoded, name) in [
            ("Task", "Task"),
            ("Page%3CTask%3E", "Page<Task>"),
            ("a~1b~0c", "a/b~c"),
            ("100%", "100%"),
            ("%C3%A9", "é"),
        ] {
            assert_eq!(decode(encoded), name);
        }
    }
}
