use bytes::Bytes;
use proptest::prelude::*;

use super::{date::iso_8601, *};
use crate::wire::{Args, DataWriter, Limits, Value, args::ArgsError, value::tests::any_json};

/// Bytes as they are printed in captures: digits, and text between quotes.
fn bytes(capture: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in capture.split('"').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: String = part.split_whitespace().collect();
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        }
    }
    bytes
}

fn decode(capture: &str) -> Result<Json, ReadError> {
    decode_bytes(&bytes(capture), &Limits::default())
}

fn decode_bytes(input: &[u8], limits: &Limits) -> Result<Json, ReadError> {
    let mut reader = Reader::new(input);
    let json = decode_value(&mut reader, limits)?;
    reader.finish()?;
    Ok(json)
}

fn encode(json: &str, attachments: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut out = Writer::new();
    encode_value(json, attachments, &mut out).unwrap();
    out.into_bytes()
}

/// One bin after the other, in the place of their placeholders.
const PLACES: [&str; 3] = [
    r#"{"_placeholder":true,"num":0}"#,
    r#"{"_placeholder":true,"num":1}"#,
    r#"{"_placeholder":true,"num":2}"#,
];

/// What both directions have in common: JSON, attachments, msgpack.
#[test]
fn says_the_same_in_both_forms() {
    let [first, second, _] = PLACES;
    for (json, attachments, capture) in [
        ("null", &[][..] as &[&str], "c0"),
        ("false", &[], "c2"),
        ("true", &[], "c3"),
        ("0", &[], "00"),
        ("127", &[], "7f"),
        ("128", &[], "cc 80"),
        ("255", &[], "cc ff"),
        ("256", &[], "cd 0100"),
        ("65536", &[], "ce 00010000"),
        ("4294967296", &[], "cf 0000000100000000"),
        ("9223372036854775807", &[], "cf 7fffffffffffffff"),
        ("9223372036854775808", &[], "cf 8000000000000000"),
        ("18446744073709551615", &[], "cf ffffffffffffffff"),
        ("-1", &[], "ff"),
        ("-32", &[], "e0"),
        ("-33", &[], "d0 df"),
        ("-128", &[], "d0 80"),
        ("-129", &[], "d1 ff7f"),
        ("-32769", &[], "d2 ffff7fff"),
        ("-2147483649", &[], "d3 ffffffff7fffffff"),
        ("-9223372036854775808", &[], "d3 8000000000000000"),
        ("1.5", &[], "cb 3ff8000000000000"),
        ("1.0", &[], "cb 3ff0000000000000"),
        ("-0.0", &[], "cb 8000000000000000"),
        ("0.1", &[], "cb 3fb999999999999a"),
        (r#""""#, &[], "a0"),
        (r#""é""#, &[], "a2 c3a9"),
        (r#""q\"\\\n\u0000""#, &[], "a5 71 22 5c 0a 00"),
        ("[]", &[], "90"),
        ("{}", &[], "80"),
        (
            r#"[1,[2,{"a":[]}],"b"]"#,
            &[],
            r#"93 01 92 02 81 a1"a" 90 a1"b""#,
        ),
        (r#"{"a":1,"a":2}"#, &[], r#"82 a1"a" 01 a1"a" 02"#),
        (first, &["\x09"], "c4 01 09"),
        (
            &format!(r#"{{"k":[{first},{second}]}}"#),
            &["", "ab"],
            r#"81 a1"k" 92 c400 c402"ab""#,
        ),
    ] {
        let json_read = decode(capture).unwrap();
        assert_eq!(json_read.text, json, "{capture}");
        assert_eq!(json_read.attachments, attachments, "{capture}");
        assert_eq!(encode(json, attachments), bytes(capture), "{json}");
    }
}

#[test]
fn lengths_have_their_shortest_form() {
    for (length, text, bin, array, map) in [
        (15, "af", "c40f", "9f", "8f"),
        (16, "b0", "c410", "dc0010", "de0010"),
        (31, "bf", "c41f", "dc001f", "de001f"),
        (32, "d920", "c420", "dc0020", "de0020"),
        (255, "d9ff", "c4ff", "dc00ff", "de00ff"),
        (256, "da0100", "c50100", "dc0100", "de0100"),
        (65_535, "daffff", "c5ffff", "dcffff", "deffff"),
        (
            65_536,
            "db00010000",
            "c600010000",
            "dd00010000",
            "df00010000",
        ),
    ] {
        let string = format!("\"{}\"", "x".repeat(length));
        let content = vec![7; length];
        let elements = vec!["1"; length].join(",");
        let entries = vec![r#""":1"#; length].join(",");
        for (json, header) in [
            (string.as_str(), text),
            (PLACES[0], bin),
            (&format!("[{elements}]"), array),
            (&format!("{{{entries}}}"), map),
        ] {
            let written = encode(json, &[&content]);
            assert!(written.starts_with(&bytes(header)), "{length} {header}");
            let read = decode_bytes(&written, &Limits::default()).unwrap();
            assert_eq!(read.text, json);
        }
    }
}

/// What only others write.
#[test]
fn reads_what_others_write() {
    let [first, second, third] = PLACES;
    for (capture, json, attachments) in [
        // notepack's undefined.
        ("d4 00 00", "null", &[][..] as &[&str]),
        ("92 d4 00 00 01", "[null,1]", &[]),
        (
            r#"84 a1"a" d4 00 00 a1"b" 01 a1"c" d4 00 00 a1"d" 81 a1"e" d4 00 00"#,
            r#"{"b":1,"d":{}}"#,
            &[],
        ),
        (r#"82 a3"sid" a1"x" a3"pid" d40000"#, r#"{"sid":"x"}"#, &[]),
        // notepack 2: a Date, and an ArrayBuffer of the same type and length.
        (
            "d7 00 0000000000000000",
            r#""1970-01-01T00:00:00.000Z""#,
            &[],
        ),
        (
            "d7 00 ffffffffffffffff",
            r#""1969-12-31T23:59:59.999Z""#,
            &[],
        ),
        ("d7 00 7fffffffffffffff", "null", &[]),
        ("c7 08 00 0000000000000000", first, &["\0\0\0\0\0\0\0\0"]),
        (
            r#"93 c7 02 00"ab" c8 0002 00"cd" c9 00000002 00"ef""#,
            &format!("[{first},{second},{third}]"),
            &["ab", "cd", "ef"],
        ),
        (
            r#"93 c4 01"a" c5 0001"b" c6 00000001"c""#,
            &format!("[{first},{second},{third}]"),
            &["a", "b", "c"],
        ),
        // The timestamps of the specification, as notepack 3 writes them.
        ("d6 ff 00000001", r#""1970-01-01T00:00:01.000Z""#, &[]),
        ("d6 ff ffffffff", r#""2106-02-07T06:28:15.000Z""#, &[]),
        (
            "d7 ff 1dcd6500 65920080",
            r#""2024-01-01T00:00:00.125Z""#,
            &[],
        ),
        (
            "c7 0c ff 075bca00 fffffffffffffffe",
            r#""1969-12-31T23:59:58.123Z""#,
            &[],
        ),
        // Longer forms than needed, and floats of 32 bits.
        ("cf 0000000000000001", "1", &[]),
        ("d3 ffffffffffffffff", "-1", &[]),
        ("d9 01 61", r#""a""#, &[]),
        ("dd 00000001 df 00000000", "[{}]", &[]),
        ("ca 3fc00000", "1.5", &[]),
        ("ca 3dcccccd", "0.10000000149011612", &[]),
        (
            "93 cb 7ff8000000000000 cb 7ff0000000000000 ca ff800000",
            "[null,null,null]",
            &[],
        ),
        // Keys that are integers.
        (
            "83 01 c0 ff c0 cf ffffffffffffffff c0",
            r#"{"1":null,"-1":null,"18446744073709551615":null}"#,
            &[],
        ),
    ] {
        let read = decode(capture).unwrap();
        assert_eq!(
            (read.text.as_str(), &read.attachments[..]),
            (
                json,
                &attachments
                    .iter()
                    .map(|data| Bytes::from_static(data.as_bytes()))
                    .collect::<Vec<_>>()[..]
            ),
            "{capture}"
        );
    }
}

/// What the official client and a Node server with its msgpack parser send.
#[test]
fn reads_captured_packets() {
    for (capture, json, attachments) in [
        (
            r#"83 a4"type" 00 a4"data" d4 00 00 a3"nsp" a2"/a""#,
            r#"{"type":0,"nsp":"/a"}"#,
            &[][..] as &[&str],
        ),
        (
            "83a47479706500a46461746181a17401a36e7370a12f",
            r#"{"type":0,"data":{"t":1},"nsp":"/"}"#,
            &[],
        ),
        (
            r#"83a47479706500a46461746182a3736964b4"Wd4hmbiYyWVtS9g4AAAB"a3706964d40000a36e7370a12f"#,
            r#"{"type":0,"data":{"sid":"Wd4hmbiYyWVtS9g4AAAB"},"nsp":"/"}"#,
            &[],
        ),
        (
            "84a2696400a47479706503a46461746192a26f6bc40109a36e7370a12f",
            r#"{"id":0,"type":3,"data":["ok",{"_placeholder":true,"num":0}],"nsp":"/"}"#,
            &["\t"],
        ),
        ("82a47479706501a36e7370a12f", r#"{"type":1,"nsp":"/"}"#, &[]),
        (
            r#"93 a6"abc123" 83 a4"type" 02 a4"data" 92 a5"hello" 01 a3"nsp" a1"/" 83 a5"rooms" 90 a6"except" 90 a5"flags" 80"#,
            r#"["abc123",{"type":2,"data":["hello",1],"nsp":"/"},{"rooms":[],"except":[],"flags":{}}]"#,
            &[],
        ),
    ] {
        let read = decode(capture).unwrap();
        assert_eq!(read.text, json, "{capture}");
        assert_eq!(read.attachments, attachments, "{capture}");
        // They write as we do, but for `undefined`, which JSON has no word for.
        if !capture.contains("d40000") && !capture.contains("d4 00 00") {
            assert_eq!(encode(json, attachments), bytes(capture), "{json}");
        }
    }
}

/// What JSON can say and the encoder of Node's parser does not.
#[test]
fn writes_any_json() {
    let [first, second, _] = PLACES;
    let object = |num: &str| [r#"82 ac"_placeholder" c3 a3"num""#, num].join(" ");
    for (json, attachments, capture) in [
        ("-0", &[][..] as &[&str], "cb 8000000000000000"),
        ("18446744073709551616", &[], "cb 43f0000000000000"),
        ("-9223372036854775809", &[], "cb c3e0000000000000"),
        ("1e400", &[], "cb 7ff0000000000000"),
        ("1E2", &[], "cb 4059000000000000"),
        ("1e300", &[], "cb 7e37e43c8800759c"),
        (
            " [ 1 ,\n\"a,b:c]\" , { \"k\" : [ ] } ] ",
            &[],
            r#"93 01 a6"a,b:c]" 81 a1"k" 90"#,
        ),
        (
            r#"["\\","\"",",\\\""]"#,
            &[],
            r#"93 a1 5c a1 22 a3 2c 5c 22"#,
        ),
        (r#""\ud83d\ude00\ud800""#, &[], "a7 f09f9880 efbfbd"),
        // Placeholders, in whatever form clients write them.
        (
            r#"{"num":0,"_\u0070laceholder":true}"#,
            &["a"],
            r#"c4 01"a""#,
        ),
        (
            r#"[{"more":[{"x":[]}],"_placeholder":true,"num":1},[],{"_placeholder":true,"num":0}]"#,
            &["a", "b"],
            r#"93 c4 01"b" 90 c4 01"a""#,
        ),
        (
            r#"{"_placeholder":false,"_placeholder":true,"num":7,"num":0}"#,
            &["a"],
            r#"c4 01"a""#,
        ),
        // And what only looks like one.
        (first, &[], &object("00")),
        (second, &["a"], &object("01")),
        (
            &format!("[{first},{first}]"),
            &["a"],
            &format!(r#"92 c4 01"a" {}"#, object("00")),
        ),
        (
            r#"{"_placeholder":true,"num":"0"}"#,
            &["a"],
            &object(r#"a1"0""#),
        ),
        (
            r#"{"_placeholder":1,"num":0}"#,
            &["a"],
            r#"82 ac"_placeholder" 01 a3"num" 00"#,
        ),
        (
            r#"["_placeholder",true,"num",0]"#,
            &["a"],
            r#"94 ac"_placeholder" c3 a3"num" 00"#,
        ),
    ] {
        let hex = |bytes: Vec<u8>| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        assert_eq!(
            hex(encode(json, attachments)),
            hex(bytes(capture)),
            "{json}"
        );
    }
}

#[test]
fn does_not_write_what_is_no_json() {
    for json in [
        "", "[", "[1", "[1 2]", r#"{"a"}"#, r#"{1:2}"#, r#""a"#, "nul", "[]]", "é", "01",
    ] {
        let mut out = Writer::new();
        out.nil();
        assert_eq!(
            encode_value(json, &[b""], &mut out),
            Err(WriteError::Syntax),
            "{json}"
        );
        assert_eq!(out.as_bytes(), [0xc0]);
    }
}

#[test]
fn refuses_what_has_no_meaning() {
    macro_rules! refused {
        ($capture:expr, $error:pat) => {
            let outcome = decode($capture);
            assert!(matches!(outcome, Err($error)), "{}: {outcome:?}", $capture);
        };
    }
    for capture in [
        "",
        "91",
        "a1",
        "d9",
        "d9 01",
        "cb 00",
        "c4 02 00",
        "c7 01 00",
        "d4 00",
        "81 a0",
        "dc 0002 c0",
        // Declared, and not there.
        "dd ffffffff",
        "df ffffffff",
        "db ffffffff",
        "c6 ffffffff",
        "c9 ffffffff 00",
        "dd ffffffff 00 00",
    ] {
        refused!(capture, ReadError::Truncated);
    }
    refused!("c1", ReadError::Reserved);
    refused!("c0 c0 c0", ReadError::Trailing { bytes: 2 });
    refused!("a1 ff", ReadError::InvalidUtf8);
    refused!("a3 eda080", ReadError::InvalidUtf8);
    for key in [
        "c0",
        "c3",
        "90",
        "80",
        "c4 00",
        "cb 0000000000000000",
        "d7 00 0000000000000000",
    ] {
        let map = format!("81 {key} c0");
        refused!(&map, ReadError::MapKey);
    }
    refused!("d5 00 0000", ReadError::Extension { kind: 0 });
    refused!("d4 01 00", ReadError::Extension { kind: 1 });
    refused!("c7 03 ff 000000", ReadError::Extension { kind: -1 });
    let not_a_place = format!("92 {} c4 00", r#"82 ac"_placeholder" c3 a3"num" 00"#);
    let read = decode_args(&mut Reader::new(&bytes(&not_a_place)), &Limits::default());
    assert!(matches!(read, Err(ReadError::Args(ArgsError::Placeholder))));
}

#[test]
fn keeps_to_its_ceilings() {
    let limits = Limits {
        max_depth: 3,
        max_attachments: 2,
        max_pending_bytes: 4,
        max_args: 2,
        ..Limits::default()
    };
    let outcome = |capture: &str| decode_bytes(&bytes(capture), &limits).map(|json| json.text);
    assert_eq!(outcome("91 91 90").unwrap(), "[[[]]]");
    assert!(matches!(
        outcome("91 91 91 90"),
        Err(ReadError::Args(ArgsError::TooDeep { limit: 3 }))
    ));
    assert!(matches!(
        outcome("91 91 81 00 90"),
        Err(ReadError::Args(ArgsError::TooDeep { limit: 3 }))
    ));
    outcome("92 c4 02 0000 c4 02 0000").unwrap();
    assert!(matches!(
        outcome("93 c400 c400 c400"),
        Err(ReadError::TooManyAttachments { limit: 2 })
    ));
    assert!(matches!(
        outcome("92 c4 02 0000 c4 03 000000"),
        Err(ReadError::AttachmentsTooLong { limit: 4 })
    ));

    let args = |capture: &str| {
        decode_args(&mut Reader::new(&bytes(capture)), &limits).map(|args| args.len())
    };
    assert_eq!(args("92 c0 c0").unwrap(), 2);
    assert!(matches!(
        args("93 c0 c0 c0"),
        Err(ReadError::Args(ArgsError::TooMany { limit: 2 }))
    ));
    assert_eq!(args("91 91 90").unwrap(), 1);
    assert!(matches!(
        args("91 91 91 90"),
        Err(ReadError::Args(ArgsError::TooDeep { limit: 3 }))
    ));
    let event = |capture: &str| decode_event(&mut Reader::new(&bytes(capture)), &limits).map(drop);
    event("93 a1 61 c0 c0").unwrap();
    assert!(matches!(
        event("94 a1 61 c0 c0 c0"),
        Err(ReadError::Args(ArgsError::TooMany { limit: 2 }))
    ));
}

/// A megabyte of opening brackets is a parser's stack overflow elsewhere.
#[test]
fn depth_costs_no_stack() {
    const DEPTH: usize = 500_000;
    let limits = Limits {
        max_depth: usize::MAX,
        ..Limits::default()
    };
    let mut deep = vec![0x91; DEPTH];
    deep.push(0xc0);
    let refused = decode_bytes(&deep, &Limits::default());
    assert!(matches!(
        refused,
        Err(ReadError::Args(ArgsError::TooDeep { limit: 128 }))
    ));
    let json = decode_bytes(&deep, &limits).unwrap().text;
    assert_eq!(json.len(), 2 * DEPTH + 4);
    assert_eq!(encode(&json, &[""; 0]), deep);
    let mut reader = Reader::new(&deep);
    reader.skip().unwrap();
    reader.finish().unwrap();
}

#[test]
fn writes_dates_as_javascript_does() {
    // What `new Date(ms).toJSON()` says.
    for (ms, expected) in [
        (0, Some("1970-01-01T00:00:00.000Z")),
        (951_782_400_000, Some("2000-02-29T00:00:00.000Z")),
        (951_868_800_000, Some("2000-03-01T00:00:00.000Z")),
        (1_795_149_263_970, Some("2026-11-20T04:34:23.970Z")),
        (4_107_542_399_999, Some("2100-02-28T23:59:59.999Z")),
        (4_107_542_400_000, Some("2100-03-01T00:00:00.000Z")),
        (-2_208_988_800_000, Some("1900-01-01T00:00:00.000Z")),
        (253_402_300_799_999, Some("9999-12-31T23:59:59.999Z")),
        (253_402_300_800_000, Some("+010000-01-01T00:00:00.000Z")),
        (-62_167_219_200_000, Some("0000-01-01T00:00:00.000Z")),
        (-62_167_219_200_001, Some("-000001-12-31T23:59:59.999Z")),
        (8_640_000_000_000_000, Some("+275760-09-13T00:00:00.000Z")),
        (-8_640_000_000_000_000, Some("-271821-04-20T00:00:00.000Z")),
        (8_640_000_000_000_001, None),
        (i64::MIN, None),
    ] {
        assert_eq!(iso_8601(ms).as_deref(), expected, "{ms}");
    }
}

/// The broadcast of a Node server, as its classic Redis adapter publishes it.
#[test]
fn takes_a_message_apart() {
    let message = bytes(
        r#"93 a6"abc123" 83 a4"type" 02 a4"data" 92 a5"hello" 01 a3"nsp" a1"/"
           83 a5"rooms" 90 a6"except" 90 a5"flags" 80"#,
    );
    let limits = Limits::default();
    let mut reader = Reader::new(&message);
    assert_eq!(
        (reader.array().unwrap(), reader.str().unwrap()),
        (3, "abc123")
    );
    let mut data = None;
    for _ in 0..reader.map().unwrap() {
        match reader.str().unwrap() {
            "type" => assert_eq!(reader.uint().unwrap(), 2),
            "data" => data = Some(decode_event(&mut reader, &limits).unwrap()),
            _ => reader.skip().unwrap(),
        }
    }
    reader.skip().unwrap();
    reader.finish().unwrap();
    let data = data.unwrap();
    assert_eq!(data.json(), r#"["hello",1]"#);
    assert!(data.is_event());

    let mut writer = Writer::new();
    encode_data(&data, &mut writer).unwrap();
    assert_eq!(writer.as_bytes(), bytes(r#"92 a5"hello" 01"#));
}

#[test]
fn reads_what_it_is_asked_for() {
    let input = bytes(r#"c3 c4 01"b" cf ffffffffffffffff"#);
    let mut reader = Reader::new(&input);
    assert!(reader.bool().unwrap());
    assert_eq!(reader.bin().unwrap(), b"b");
    assert_eq!(reader.uint().unwrap(), u64::MAX);
    for wrong in [
        Reader::new(&[0xc0]).array().err(),
        Reader::new(&[0xc0]).map().err(),
        Reader::new(&[0xc0]).str().err(),
        Reader::new(&[0xc0]).bin().err(),
        Reader::new(&[0xc0]).bool().err(),
        Reader::new(&[0xff]).uint().err(),
    ] {
        assert!(matches!(wrong, Some(ReadError::Unexpected { .. })));
    }
}

/// Whoever makes room for the elements is not told of more than there can be.
#[test]
fn counts_are_refused_before_their_elements_are_missed() {
    for capture in ["93 c0 c0", "dd ffffffff c0", "82 a0 c0 a0", "df ffffffff"] {
        let input = bytes(capture);
        let (array, map) = (Reader::new(&input).array(), Reader::new(&input).map());
        let both = [array, map].map(|count| matches!(count, Err(ReadError::Truncated)));
        assert_eq!(both, [true, true], "{capture}");
    }
}

#[test]
fn events_have_a_name() {
    let name = |capture: &str| {
        decode_event(&mut Reader::new(&bytes(capture)), &Limits::default())
            .map(|data| data.json().to_owned())
    };
    assert_eq!(name("91 07").unwrap(), "[7]");
    assert_eq!(name("92 a1 61 80").unwrap(), r#"["a",{}]"#);
    for capture in ["90", "91 c0", "91 90", "91 c4 00", "91 c3"] {
        assert!(
            matches!(name(capture), Err(ReadError::InvalidEventName)),
            "{capture}"
        );
    }
    assert!(matches!(name("80"), Err(ReadError::Unexpected { .. })));
}

#[test]
fn received_arguments_make_the_round_trip() {
    let mut data = DataWriter::ack();
    data.push(&Bytes::from_static(b"x")).unwrap();
    data.push(&("é\n", Bytes::from_static(b"y"))).unwrap();
    let args = Args::from_data(&data.finish()).unwrap();
    let mut out = Writer::append_to(vec![0xc0]);
    encode_args(&args, &mut out).unwrap();
    assert_eq!(
        out.as_bytes(),
        bytes(r#"c0 92 c4 01"x" 92 a3 c3a9 0a c4 01"y""#)
    );
    let again = decode_args(&mut Reader::new(&out.into_bytes()[1..]), &Limits::default()).unwrap();
    assert_eq!(again.values().unwrap(), args.values().unwrap());
}

/// Any value of JSON, with byte strings among its leaves.
fn any_value() -> impl Strategy<Value = Value> {
    let data = prop::collection::vec(any::<u8>(), 0..300);
    let leaf =
        prop_oneof![4 => any_json(), 1 => data.prop_map(|data| Value::from(Bytes::from(data)))];
    leaf.prop_recursive(4, 24, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::btree_map(".{0,40}", inner, 0..20).prop_map(Value::from_iter),
        ]
    })
}

fn unlimited() -> Limits {
    Limits {
        max_attachments: usize::MAX,
        ..Limits::default()
    }
}

proptest! {
    #[test]
    fn any_data_makes_the_round_trip(value in any_value()) {
        let mut data = DataWriter::event("any");
        data.push(&value).unwrap();
        let data = data.finish();
        let mut out = Writer::new();
        encode_data(&data, &mut out).unwrap();
        let mut reader = Reader::new(out.as_bytes());
        let again = decode_event(&mut reader, &unlimited()).unwrap();
        reader.finish().unwrap();
        prop_assert_eq!(again.json(), data.json());
        prop_assert_eq!(again.attachments(), data.attachments());
        let mut reader = Reader::new(out.as_bytes());
        reader.skip().unwrap();
        reader.finish().unwrap();
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..200)) {
        check_any(&input);
    }

    /// Markers with small lengths, which get further than bytes at random.
    #[test]
    fn anything_like_msgpack_is_read_or_refused(
        input in prop::collection::vec(prop_oneof![0x80..=0x94u8, 0xa0..=0xa3u8, 0xc0..=0xdfu8, 0..=3u8], 0..200)
    ) {
        check_any(&input);
    }
}

fn check_any(input: &[u8]) {
    let mut skipped = Reader::new(input);
    let skip = skipped.skip();
    let mut reader = Reader::new(input);
    let Ok(json) = decode_value(&mut reader, &unlimited()) else {
        return;
    };
    skip.unwrap();
    assert_eq!(
        format!("{:?}", reader.finish()),
        format!("{:?}", skipped.finish()),
        "skipping passes over what is read"
    );
    assert!(json.text.len() <= 64 * input.len());
    let held: usize = json.attachments.iter().map(Bytes::len).sum();
    assert!(held <= input.len());
    assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json.text).is_ok());
    let mut out = Writer::new();
    encode_value(&json.text, &json.attachments, &mut out).unwrap();
    let again = decode_bytes(out.as_bytes(), &unlimited()).unwrap();
    assert_eq!(again, json);
}
