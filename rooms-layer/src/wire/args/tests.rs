use std::error::Error as _;

use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::wire::value::tests::any_json;

fn parse(json: &str) -> Args {
    Args::parse(json, Vec::new(), &Limits::default()).unwrap()
}

fn parse_binary(json: &str, attachments: &[&'static [u8]]) -> Result<Args, ArgsError> {
    let attachments = attachments
        .iter()
        .map(|bytes| Bytes::from_static(bytes))
        .collect();
    Args::parse(json, attachments, &Limits::default())
}

#[test]
fn finds_the_elements_as_they_were_written() {
    let args = parse(" [ 1 , \"two\",{\"three\" : [3]} ,null]\n");
    let raw: Vec<_> = (0..5).map(|index| args.raw(index)).collect();
    let expected = [
        Some("1"),
        Some("\"two\""),
        Some("{\"three\" : [3]}"),
        Some("null"),
        None,
    ];
    assert_eq!(raw, expected);
    assert_eq!(args.len(), 4);
    assert!(parse("[]").is_empty());
}

#[test]
fn reads_types() {
    let args = parse(r#"[1,"two",[3,4],{"five":5}]"#);
    assert_eq!(args.get::<u8>(0).unwrap(), 1);
    assert_eq!(args.get::<&str>(1).unwrap(), "two");
    assert_eq!(args.get::<(i64, f64)>(2).unwrap(), (3, 4.0));
    assert_eq!(
        args.get::<Value>(3).unwrap().get("five"),
        Some(&Value::Int(5))
    );
}

#[test]
fn what_is_absent_is_null() {
    let args = parse("[1]");
    assert_eq!(args.get::<Option<u8>>(1).unwrap(), None);
    args.get::<()>(7).unwrap();
    assert_eq!(args.get::<u8>(1).unwrap_err().index(), 1);
}

#[test]
fn strings_are_borrowed_even_if_they_are_escaped() {
    #[derive(Deserialize)]
    struct Message<'a> {
        name: &'a str,
        text: &'a str,
    }
    let args = parse(r#"["pl\u0061in\n",{"name":"n","text":"\ud83d\ude00 \"q\""}]"#);
    assert_eq!(args.get::<&str>(0).unwrap(), "plain\n");
    assert_eq!(args.get::<String>(0).unwrap(), "plain\n");
    let message = args.get::<Message<'_>>(1).unwrap();
    assert_eq!((message.name, message.text), ("n", "😀 \"q\""));
}

#[test]
fn lone_surrogates_become_replacement_characters() {
    let args = parse(r#"["a\ud800b","\udfff","\ud83d\ude00"]"#);
    assert_eq!(args.get::<&str>(0).unwrap(), "a\u{fffd}b");
    assert_eq!(args.get::<String>(1).unwrap(), "\u{fffd}");
    assert_eq!(args.get::<String>(2).unwrap(), "😀");
}

#[test]
fn errors_tell_the_argument_and_the_reason() {
    let args = parse(r#"["1","\n"]"#);
    let error = args.get::<u8>(0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument 0 does not have the expected type"
    );
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .starts_with("invalid type: string \"1\"")
    );
    let error = args.get::<u8>(1).unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .starts_with("invalid type: string \"\\n\"")
    );
    // Legal JSON, but no number that we have.
    assert!(parse("[1e999]").values().is_err());
}

#[test]
fn attachments_take_the_place_of_their_placeholders() {
    #[derive(Deserialize)]
    struct Photo<'a> {
        name: &'a str,
        content: Bytes,
        #[serde(borrow)]
        thumbs: Vec<&'a [u8]>,
    }
    let args = parse_binary(
        r#"[{"name":"sea","content":{"_placeholder":true,"num":1},"thumbs":[{"num":0,"_placeholder":true},
            {"_placeholder":true,"num":2}]},{"_\u0070laceholder":true,"num":3},7]"#,
        &[b"small", b"large", b"medium", b"last"],
    )
    .unwrap();
    let photo = args.get::<Photo<'_>>(0).unwrap();
    assert_eq!(photo.name, "sea");
    assert_eq!(&photo.content[..], b"large");
    assert_eq!(photo.thumbs, [&b"small"[..], b"medium"]);
    assert_eq!(args.get::<Bytes>(1).unwrap(), "last");
    assert_eq!(args.get::<u8>(2).unwrap(), 7);
    assert_eq!(args.attachments().len(), 4);
}

/// A packet of a megabyte whose thousands of placeholders all named its one attachment took gigabytes in a handler.
#[test]
fn an_attachment_has_one_place() {
    const PLACE: &str = r#"{"_placeholder":true,"num":0}"#;
    for text in [
        format!("[{PLACE},{PLACE}]"),
        format!("[[{PLACE},{PLACE}]]"),
        format!(r#"[{{"a":{PLACE},"b":[{PLACE}]}}]"#),
        format!("[[{}]]", [PLACE; 3_000].join(",")),
    ] {
        assert!(parse_binary(&text, &[b"x", b"y"]).is_err());
    }
    assert!(parse_binary(&format!("[{PLACE}]"), &[b"x"]).is_ok());
}

#[test]
fn placeholders_must_name_an_attachment() {
    for (object, is_valid) in [
        (r#"{"_placeholder":true,"num":0}"#, true),
        (r#"{"_placeholder":true,"num":1}"#, true),
        (r#"{"_placeholder":true,"num":5,"num":1,"more":[]}"#, true),
        (r#"{"_placeholder":false,"num":9}"#, true),
        (r#"{"_placeholder":1,"num":9}"#, true),
        (r#"{"_placeholder":"true","num":9}"#, true),
        (r#"{"_placeholder":true,"_placeholder":null,"num":9}"#, true),
        (r#"["_placeholder",true,"num",9]"#, true),
        (r#"{"_placeholder":true,"num":2}"#, false),
        (r#"{"_placeholder":true,"num":-1}"#, false),
        (r#"{"_placeholder":true,"num":0.5}"#, false),
        (r#"{"_placeholder":true,"num":1.0}"#, false),
        (r#"{"_placeholder":true,"num":1e400}"#, false),
        (r#"{"_placeholder":true,"num":18446744073709551615}"#, false),
        (r#"{"_placeholder":true,"num":"0"}"#, false),
        (r#"{"_placeholder":true,"num":[0]}"#, false),
        (r#"{"_placeholder":true,"num":null}"#, false),
        (r#"{"_placeholder":true}"#, false),
        (r#"{"deep":[{"_placeholder":true}]}"#, false),
        (r#"{"\u005fplaceholder":true}"#, false),
    ] {
        let args = parse_binary(&format!("[1,{object}]"), &[b"a", b"b"]);
        assert_eq!(args.is_ok(), is_valid, "{object}");
        // Without attachments it is an object like any other.
        if !object.contains("1e400") {
            let plain = parse(&format!("[{object}]")).get::<Value>(0).unwrap();
            assert!(
                matches!(plain, Value::Object(_) | Value::Array(_)),
                "{object}"
            );
        }
    }
}

#[test]
fn refuses_what_is_no_array_of_json() {
    for json in [
        "",
        " ",
        "{}",
        "1",
        "null",
        "[",
        "[1",
        "[1,]",
        "[,]",
        "[1]]",
        "[1] 2",
        "[tru]",
        "['a']",
        "[\"\\x\"]",
        "[01]",
        "[\"\n\"]",
    ] {
        let outcome = Args::parse(json, Vec::new(), &Limits::default());
        assert!(matches!(outcome, Err(ArgsError::Syntax(_))), "{json:?}");
    }
}

#[test]
fn ceilings_count_to_the_last_argument_and_level() {
    let limits = Limits {
        max_args: 2,
        max_depth: 3,
        ..Limits::default()
    };
    for (json, fits) in [
        ("[1,2]", true),
        ("[1,2,3]", false),
        ("[[[]]]", true),
        ("[[[[]]]]", false),
        (r#"[{"a":{}}]"#, true),
        (r#"[{"a":[{}]}]"#, false),
        ("[[[],[],[],{},{}],[[]]]", true),
        (r#"["[[[[[[","\"[[[[[["]"#, true),
    ] {
        assert_eq!(
            Args::parse(json, Vec::new(), &limits).is_ok(),
            fits,
            "{json}"
        );
    }
}

#[test]
fn hostile_sizes_are_refused() {
    let limits = Limits::default();
    let deep = "[".repeat(100_000);
    let closed = format!("{deep}{}", "]".repeat(100_000));
    let objects = format!("[{}", r#"{"a":"#.repeat(100_000));
    for json in [&deep, &closed, &objects] {
        let outcome = Args::parse(json, Vec::new(), &limits);
        assert!(matches!(outcome, Err(ArgsError::TooDeep { limit: 128 })));
    }
    let many = format!("[0{}]", ",0".repeat(100_000));
    let outcome = Args::parse(&many, Vec::new(), &limits);
    assert!(matches!(outcome, Err(ArgsError::TooMany { limit: 1_000 })));
}

#[test]
fn the_deepest_text_that_is_let_in_can_be_read() {
    let json = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(parse(&json).values().unwrap().len(), 1);
    let json = format!("{}\"\\n\"{}", "[".repeat(128), "]".repeat(128));
    assert_eq!(parse(&json).values().unwrap().len(), 1);
}

#[test]
fn a_higher_ceiling_lets_text_through_that_has_no_type() {
    let limits = Limits {
        max_depth: 100_000,
        ..Limits::default()
    };
    let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let args = Args::parse(&json, Vec::new(), &limits).unwrap();
    assert_eq!(args.raw(0).map(str::len), Some(json.len() - 2));
    assert!(args.get::<Value>(0).is_err());
    let attachments = vec![Bytes::new()];
    let json = json.replace("[]", r#"["_placeholder"]"#);
    assert!(Args::parse(&json, attachments, &limits).is_err());
}

#[test]
fn data_comes_in_as_it_went_out() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Photo {
        name: String,
        content: Bytes,
    }
    let photo = || Photo {
        name: "\"sea\"".into(),
        content: Bytes::from_static(b"\xff\xd8"),
    };
    let mut writer = DataWriter::event("photo");
    writer.push("caption").unwrap();
    writer.push(&photo()).unwrap();
    let args = Args::from_data(&writer.finish()).unwrap();
    assert_eq!(args.len(), 2);
    assert_eq!(args.get::<&str>(0).unwrap(), "caption");
    assert_eq!(args.get::<Photo>(1).unwrap(), photo());
}

/// Any value with byte strings in it, and without objects that look like placeholders.
fn any_value() -> impl Strategy<Value = Value> {
    let bytes = prop::collection::vec(any::<u8>(), 0..5);
    prop_oneof![
        any_json(),
        (any_json(), bytes).prop_map(|(value, bytes)| {
            Value::from_iter([("value", value), ("bytes", Bytes::from(bytes).into())])
        }),
    ]
}

proptest! {
    #[test]
    fn values_make_the_round_trip(values in prop::collection::vec(any_value(), 0..4)) {
        let args = Args::from_values(&values).unwrap();
        prop_assert_eq!(args.values().unwrap(), values);
    }

    #[test]
    fn any_text_is_read_or_refused(json in r#"\[([\[\]{},:"\\0-9a ]|\\ud8|"_placeholder":true|"num":)*\]"#) {
        if let Ok(args) = Args::parse(&json, vec![Bytes::new()], &Limits::default()) {
            let _ = args.values();
            for index in 0..args.len() {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(args.raw(index).unwrap()).is_ok());
            }
        }
    }
}
