//! A contract with every form that a payload may have.
#![allow(dead_code, reason = "the types are described, not used")]

use rooms_layer::{
    export::schemars::{self, JsonSchema},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Token {
    token: String,
    #[serde(default)]
    locale: String,
}

/// Where a task stands.
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Column {
    /// Nobody has begun.
    Todo,
    Doing,
    Done,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    Red,
    Green,
}

/// A task.
///
/// Its `due` date may be left out, where */ ends no comment.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    task_id: u32,
    /// What there is to do.
    title: String,
    due: Option<String>,
    column: Column,
    #[serde(rename = "sub-tasks", default, skip_serializing_if = "Vec::is_empty")]
    sub_tasks: Vec<Task>,
    #[serde(skip_deserializing)]
    revision: u32,
    #[serde(skip)]
    cache: Vec<u8>,
}

/// Lists tasks, so that it differs by direction because they do.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    next: Option<u32>,
}

/// Externally tagged.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) enum Shape {
    Empty,
    Circle(f64),
    Line(f64, f64),
    Box { width: f64, height: f64 },
}

/// Internally tagged.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    /// Somebody wrote another title.
    Renamed {
        /// The new one.
        title: String,
    },
    Created(Place),
    Deleted,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Place {
    column: Column,
    position: u16,
}

/// Adjacently tagged.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "data")]
pub(crate) enum Notice {
    Text(String),
    Count(u8),
    Nothing,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Value {
    Number(f64),
    Text(String),
    List(Vec<Value>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Flat {
    id: u32,
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    notice: Notice,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Open {
    id: u32,
    #[serde(flatten)]
    rest: HashMap<String, bool>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Empty {}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Maps {
    by_name: HashMap<String, Place>,
    by_number: BTreeMap<u32, bool>,
    by_column: BTreeMap<Column, u8>,
    maybe: Option<BTreeMap<String, Option<u8>>>,
}

/// One of everything.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "every thing", broadcast)]
pub(crate) struct Everything<'a> {
    #[serde(borrow)]
    borrowed: Cow<'a, str>,
    shape: Shape,
    change: Change,
    notice: Notice,
    value: Value,
    flat: Flat,
    open: Open,
    empty: Empty,
    maps: Maps,
    color: Option<Color>,
    pair: (u8, Column),
    triple: [f32; 3],
    either: Vec<Option<Column>>,
    any: serde_json::Value,
    letter: char,
    unit: (),
    boxed: Box<Place>,
    numbers: std::num::NonZeroU32,
}

/// Attachments at any depth.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Files {
    one: Bytes,
    some: Vec<Bytes>,
    maybe: Option<Bytes>,
    #[event(json_bytes)]
    numbers: Vec<u8>,
}

#[derive(Event, Serialize, JsonSchema)]
#[event(name = "page", server, broadcast)]
pub(crate) struct Paged<T> {
    page: Page<T>,
}

#[derive(Event, Serialize, JsonSchema)]
#[event(name = "changed", server, broadcast)]
pub(crate) struct Changed<T> {
    change: T,
}

/// Not the same type, though it has the same name.
mod other {
    use super::*;

    #[derive(Event, Serialize, JsonSchema)]
    #[event(name = "renamed elsewhere", server, broadcast)]
    pub(crate) struct Changed<T> {
        pub(crate) change: T,
        pub(crate) elsewhere: bool,
    }
}

/// The payload is the enum.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tool", ack(Result<u8, Color>))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    Pen,
    EraserTip,
}

#[derive(Event)]
#[event(broadcast)]
pub(crate) struct Moved<'a>(
    /// x: how far to the right, from 0 to 1
    f32,
    /// `y`
    f32,
    Bytes,
    /// default
    Option<&'a str>,
    Column,
    Column,
);

#[derive(Event)]
#[event(server, broadcast)]
pub(crate) struct Closed;

#[derive(Event)]
#[event(server, ack = Option<Task>, broadcast)]
pub(crate) struct AskFor(u32);

#[derive(Event, Deserialize, JsonSchema)]
#[event(client, ack = Result<Page<Task>, Notice>)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaveTask {
    task: Task,
    at: Option<Place>,
}

#[derive(Event, Deserialize, JsonSchema)]
#[event(client, ack = Result<(), String>)]
pub(crate) struct Leave {}

#[derive(Namespace)]
#[namespace(path = "/forms", auth = Token)]
#[namespace(server(Everything<'_>, Files, Paged<Task>, Changed<Vec<Task>>, other::Changed<&'static str>))]
#[namespace(server(Tool, Moved<'_>, Closed, AskFor))]
#[namespace(client(Everything<'_>, Files, Tool, Moved<'_>, SaveTask, Leave))]
pub(crate) struct Forms;

/// What serde makes of some values, each below the name of its exported type.
pub(crate) fn samples() -> Vec<(&'static str, String)> {
    fn sample<T: Serialize>(ty: &'static str, value: T) -> (&'static str, String) {
        (ty, serde_json::to_string(&value).expect("JSON"))
    }
    let place = || Place {
        column: Column::Doing,
        position: 2,
    };
    let task = |sub_tasks| Task {
        task_id: 1,
        title: "Paint".into(),
        due: None,
        column: Column::Todo,
        sub_tasks,
        revision: 3,
        cache: Vec::new(),
    };
    let flat = |notice| Flat {
        id: 1,
        place: place(),
        notice,
    };
    let everything = Everything {
        borrowed: "text".into(),
        shape: Shape::Box {
            width: 1.,
            height: 2.,
        },
        change: Change::Created(place()),
        notice: Notice::Nothing,
        value: Value::List(vec![Value::Number(1.), Value::Text("2".into())]),
        flat: flat(Notice::Count(1)),
        open: Open {
            id: 1,
            rest: HashMap::from([("urgent".into(), true)]),
        },
        empty: Empty {},
        maps: Maps {
            by_name: HashMap::from([("a".into(), place())]),
            by_number: BTreeMap::from([(1, true)]),
            by_column: BTreeMap::from([(Column::Done, 1)]),
            maybe: Some(BTreeMap::from([("b".into(), None)])),
        },
        color: Some(Color::Green),
        pair: (1, Column::Done),
        triple: [1., 2., 3.],
        either: vec![None, Some(Column::Todo)],
        any: serde_json::json!({ "a": [1] }),
        letter: 'a',
        unit: (),
        boxed: Box::new(place()),
        numbers: std::num::NonZeroU32::MIN,
    };
    vec![
        sample("Everything", everything),
        sample(
            "PagedOfTask",
            Paged {
                page: Page {
                    items: vec![task(vec![task(vec![])])],
                    next: None,
                },
            },
        ),
        sample("Shape", Shape::Empty),
        sample("Shape", Shape::Circle(1.)),
        sample("Shape", Shape::Line(1., 2.)),
        sample(
            "Change",
            Change::Renamed {
                title: "Paint".into(),
            },
        ),
        sample("Change", Change::Deleted),
        sample("Notice", Notice::Text("text".into())),
        sample("Flat", flat(Notice::Nothing)),
        sample(
            "ChangedOfVecOfTask",
            Changed {
                change: vec![task(vec![])],
            },
        ),
        sample(
            "ChangedOfStr",
            other::Changed {
                change: "text",
                elsewhere: true,
            },
        ),
        sample("Tool", Tool::EraserTip),
        sample("ResultOfUint8OrColor", Ok::<u8, Color>(1)),
        sample("ResultOfUint8OrColor", Err::<u8, Color>(Color::Red)),
    ]
}
