use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Shape {
    Empty,
    Circle(f64),
    Box(u32, u32),
    Named { name: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    unit: (),
    small: i8,
    large: u64,
    ratio: f64,
    letter: char,
    text: String,
    maybe: Option<u8>,
    nothing: Option<u8>,
    list: Vec<Shape>,
    pair: (u8, String),
    by_number: BTreeMap<i32, bool>,
    by_flag: BTreeMap<bool, u8>,
    by_name: BTreeMap<String, Wrapped>,
    bytes: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u16);

fn everything() -> Everything {
    Everything {
        flag: true,
        unit: (),
        small: -3,
        large: u64::MAX,
        ratio: 0.5,
        letter: 'é',
        text: "tab\t".into(),
        maybe: Some(1),
        nothing: None,
        list: vec![
            Shape::Empty,
            Shape::Circle(1.5),
            Shape::Box(1, 2),
            Shape::Named { name: "n".into() },
        ],
        pair: (7, "seven".into()),
        by_number: BTreeMap::from([(-1, true), (2, false)]),
        by_flag: BTreeMap::from([(true, 1)]),
        by_name: BTreeMap::from([("w".into(), Wrapped(9))]),
        bytes: Bytes::from_static(b"\x00\xff"),
    }
}

/// Reads `T` from the value that JSON text stands for.
fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    let value: Value = serde_json::from_str(json).unwrap();
    T::deserialize(&value).map_err(|error| error.to_string())
}

#[test]
fn rust_types_make_the_round_trip() {
    let value = to_value(&everything()).unwrap();
    assert_eq!(Everything::deserialize(&value).unwrap(), everything());
    assert_eq!(
        value.get("bytes").unwrap().as_bytes(),
        Some(&everything().bytes)
    );
}

#[test]
fn a_value_is_written_as_the_type_it_was_made_of() {
    let mut everything = everything();
    // Byte strings are what JSON alone has no form for.
    everything.bytes = Bytes::new();
    let value = to_value(&everything).unwrap();
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        serde_json::to_string(&everything).unwrap()
    );
}

#[test]
fn strings_and_byte_strings_are_borrowed() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        text: &'a str,
        bytes: &'a [u8],
        #[serde(borrow)]
        map: BTreeMap<&'a str, &'a str>,
    }
    let value = Value::from_iter([
        ("text", Value::from("a\nb")),
        ("bytes", Bytes::from_static(b"xyz").into()),
        ("map", Value::from_iter([("k", "v")])),
    ]);
    let borrowed = Borrowed::deserialize(&value).unwrap();
    assert_eq!(borrowed.text, "a\nb");
    assert_eq!(borrowed.bytes, b"xyz");
    assert_eq!(borrowed.map, BTreeMap::from([("k", "v")]));
    assert_eq!(
        borrowed.text.as_ptr(),
        value.get("text").unwrap().as_str().unwrap().as_ptr()
    );
}

#[test]
fn integers_have_one_form() {
    for (json, expected) in [
        ("0", Value::Int(0)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("9223372036854775807", Value::Int(i64::MAX)),
        ("9223372036854775808", Value::UInt(1 << 63)),
        ("18446744073709551616", Value::Float(18446744073709551616.0)),
        ("-0", Value::Float(-0.0)),
        ("1e2", Value::Float(100.0)),
    ] {
        assert_eq!(
            serde_json::from_str::<Value>(json).unwrap(),
            expected,
            "{json}"
        );
    }
    assert_eq!(Value::from(5u64), Value::from(5i8));
}

#[test]
fn the_last_of_equal_keys_counts() {
    let value: Value = serde_json::from_str(r#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(value.get("a"), Some(&Value::Int(2)));
}

#[test]
fn refuses_what_does_not_fit() {
    assert_eq!(
        from_json::<u8>("256").unwrap_err(),
        "invalid value: integer `256`, expected u8"
    );
    assert!(from_json::<String>("1").is_err());
    assert!(from_json::<(u8, u8)>("[1,2,3]").is_err());
    assert!(from_json::<Shape>(r#""hexagon""#).is_err());
    assert!(from_json::<Shape>(r#"{"circle":1,"box":[1,2]}"#).is_err());
    assert!(from_json::<BTreeMap<u8, u8>>(r#"{"x":1}"#).is_err());
    assert!(to_value(&BTreeMap::from([((1, 2), 3)])).is_err());
}

/// Any value of JSON, without equal keys and byte strings.
pub(in crate::wire) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn json_makes_the_round_trip(value in any_json()) {
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value.clone());
        prop_assert_eq!(to_value(&value).unwrap(), value.clone());
        prop_assert_eq!(Value::deserialize(&value).unwrap(), value);
    }
}
