use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::wire::{
    Args, Data, DataWriter, Limits, Value,
    args::ArgsError,
    value::tests::any_json,
    websocket::{Unframe, text_frame},
};

/// What can be seen of a packet, in one line: kind, namespace, id, event and the arguments as they were written.
fn describe(packet: &Packet) -> String {
    let raw: Vec<_> = (0..packet.args().len())
        .filter_map(|index| packet.args().raw(index))
        .collect();
    let id = packet.id().map_or("-".to_owned(), |id| id.to_string());
    let (kind, namespace, event) = (packet.kind(), packet.namespace(), packet.event());
    format!("{kind:?} {namespace} {id} {event:?} {}", raw.join(" "))
        .trim_end()
        .to_owned()
}

fn decode_with(text: &str, limits: &Limits) -> Result<Option<Packet>, PacketError> {
    Decoder::new().text(text, limits)
}

fn decode(text: &str) -> Result<Packet, PacketError> {
    decode_with(text, &Limits::default()).map(|packet| packet.expect("no attachments are due"))
}

/// Reads a text and the attachments that follow it.
fn decode_binary(text: &str, attachments: &[&[u8]]) -> Result<Option<Packet>, PacketError> {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    let mut packet = decoder.text(text, &limits)?;
    for attachment in attachments {
        assert!(
            packet.is_none(),
            "a packet is whole with its last attachment"
        );
        packet = decoder.binary(attachment, &limits)?;
    }
    Ok(packet)
}

macro_rules! refused {
    ($text:expr, $error:pat) => {
        let outcome = decode_binary($text, &[]);
        assert!(matches!(outcome, Err($error)), "{:?}: {outcome:?}", $text);
    };
}

#[test]
fn reads_what_node_reads() {
    for (text, expected) in [
        ("0", r#"Connect / - """#),
        ("0/a", r#"Connect /a - """#),
        ("0/a,", r#"Connect /a - """#),
        ("0/a?x=1,", r#"Connect /a?x=1 - """#),
        (r#"0{"token":"1"}"#, r#"Connect / - "" {"token":"1"}"#),
        (r#"0/admin,{"k":1}"#, r#"Connect /admin - "" {"k":1}"#),
        ("1", r#"Disconnect / - """#),
        ("1/a,", r#"Disconnect /a - """#),
        (r#"2["a"]"#, r#"Event / - "a""#),
        (r#"2/,["a"]"#, r#"Event / - "a""#),
        (r#"212["ev",1,"x"]"#, r#"Event / 12 "ev" 1 "x""#),
        (r#"2/a,12["ev",null]"#, r#"Event /a 12 "ev" null"#),
        (r#"2007["a"]"#, r#"Event / 7 "a""#),
        (
            r#"218446744073709551615["a"]"#,
            r#"Event / 18446744073709551615 "a""#,
        ),
        ("2", r#"Event / - """#),
        ("25", r#"Event / 5 """#),
        ("2[1,2]", r#"Event / - "1" 2"#),
        ("2[-1.5]", r#"Event / - "-1.5""#),
        (r#"2["tab\t\u00e9"]"#, r#"Event / - "tab\té""#),
        (r#"2["\ud800"]"#, r#"Event / - "�""#),
        (r#"2["connection"]"#, r#"Event / - "connection""#),
        (r#"2["error"]"#, r#"Event / - "error""#),
        (r#"2["message"]"#, r#"Event / - "message""#),
        (
            r#"2["a",{"_placeholder":true,"num":7}]"#,
            r#"Event / - "a" {"_placeholder":true,"num":7}"#,
        ),
        (
            r#"2["a",-0,1e400,{"k":1,"k":2}]"#,
            r#"Event / - "a" -0 1e400 {"k":1,"k":2}"#,
        ),
        ("3", r#"Ack / - """#),
        ("37", r#"Ack / 7 """#),
        ("3[]", r#"Ack / - """#),
        ("3/a,12[1]", r#"Ack /a 12 "" 1"#),
    ] {
        assert_eq!(
            decode(text).map(|packet| describe(&packet)).unwrap(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn refuses_what_node_closes_on() {
    refused!("", PacketError::Empty);
    for text in [" ", "7", "9", "a", "-", "é", "/a", "[\"a\"]"] {
        refused!(text, PacketError::UnknownType);
    }
    for text in [
        r#"2-1["a"]"#,
        r#"2a,["x"]"#,
        "2abc[\"x\"]",
        "2{}",
        "2\"a\"",
        "2null",
        r#"25-["a"]"#,
        "30{}",
        "3{}",
        "3x",
        "1{}",
        "1[]",
        "1/a,x",
        "0[1]",
        "0null",
        "0\"x\"",
        "0x",
        "0/a,[]",
        // Node takes a blank for a digit.
        r#"2 ["a"]"#,
        r#"2/a, ["a"]"#,
        r#"2 1["a"]"#,
    ] {
        refused!(text, PacketError::InvalidPayload);
    }
    for text in [
        "2[]",
        "2[null]",
        "2[true]",
        "2[{}]",
        r#"2[["a"]]"#,
        r#"2[{"toString":"a"},1]"#,
    ] {
        refused!(text, PacketError::InvalidEventName);
    }
    for text in [
        r#"2["a""#,
        r#"2["a"]x"#,
        r#"2["a",]"#,
        "2[",
        r#"0{"a""#,
        "0{}{}",
        "37[1",
        r#"2["\x"]"#,
    ] {
        refused!(text, PacketError::Args(ArgsError::Syntax(_)));
    }
    refused!(r#"2123456789012345678901["a"]"#, PacketError::IdTooLarge);
    refused!(r#"218446744073709551616["a"]"#, PacketError::IdTooLarge);
    for text in ["4", "4{}", r#"4{"message":"no"}"#, r#"4/a,"no""#] {
        refused!(text, PacketError::ServerOnly);
    }
    for name in RESERVED_EVENTS {
        refused!(&format!("2[\"{name}\"]"), PacketError::ReservedEventName);
        refused!(
            &format!("2/a,1[\"{name}\",1]"),
            PacketError::ReservedEventName
        );
    }
    refused!(r#"2["\u0063onnect"]"#, PacketError::ReservedEventName);
}

#[test]
fn the_number_of_attachments_must_be_written_out() {
    for count in ["", "0", "00", "-1", "1.5", "1e0", " 1", "+1", "x", "0x1"] {
        refused!(
            &format!("5{count}-[\"a\"]"),
            PacketError::IllegalAttachments
        );
        refused!(&format!("6{count}-1[]"), PacketError::IllegalAttachments);
    }
    for text in ["5", "51", "5[\"a\"]", "51[\"a\"]", "51/a,[\"a\"]", "6"] {
        refused!(text, PacketError::IllegalAttachments);
    }
    for count in ["11", "1000000000000000000", "99999999999999999999999"] {
        refused!(
            &format!("5{count}-[\"a\"]"),
            PacketError::TooManyAttachments { limit: 10 }
        );
    }
    assert!(decode_binary(r#"510-["a"]"#, &[]).unwrap().is_none());
    assert!(decode_binary(r#"501-["a"]"#, &[b""]).unwrap().is_some());
}

#[test]
fn joins_packets_and_attachments() {
    const ZERO: &str = r#"{"_placeholder":true,"num":0}"#;
    const ONE: &str = r#"{"_placeholder":true,"num":1}"#;
    let value = |attachment: &'static [u8]| Value::from(Bytes::from_static(attachment));
    for (text, attachments, description, values) in [
        (
            format!(r#"51-["a",{ZERO}]"#),
            &[b"x"][..],
            r#"Event / - "a""#,
            vec![value(b"x")],
        ),
        (
            format!(r#"51-/n,13["a",{ZERO}]"#),
            &[b"x"],
            r#"Event /n 13 "a""#,
            vec![value(b"x")],
        ),
        (
            format!("61-/n,13[{ZERO}]"),
            &[b"x"],
            r#"Ack /n 13 """#,
            vec![value(b"x")],
        ),
        (
            format!(r#"52-["a",[{ONE},{{"k":{ZERO}}}]]"#),
            &[b"x", b"y"],
            r#"Event / - "a""#,
            vec![vec![value(b"y"), Value::from_iter([("k", value(b"x"))])].into()],
        ),
        // Unused attachments are dropped, and a packet without payload has no use for any.
        (
            r#"52-["a",1]"#.into(),
            &[b"x", b"y"],
            r#"Event / - "a""#,
            vec![Value::Int(1)],
        ),
        ("51-".into(), &[b"x"], r#"Event / - """#, vec![]),
    ] {
        let attachments: Vec<&[u8]> = attachments.iter().map(|bytes| &bytes[..]).collect();
        let packet = decode_binary(&text, &attachments).unwrap().expect(&text);
        assert!(describe(&packet).starts_with(description), "{packet:?}");
        assert_eq!(packet.into_args().values().unwrap(), values, "{text}");
    }
    let empty = decode_binary(&format!(r#"51-["a",{ZERO}]"#), &[b""])
        .unwrap()
        .unwrap();
    assert_eq!(empty.args().get::<Bytes>(0).unwrap(), "");
}

#[test]
fn a_bad_placeholder_is_a_protocol_error() {
    for num in [
        "-1", "1", "0.5", "\"0\"", "null", "[]", "{}", "true", "1e999",
    ] {
        let text = format!(r#"51-["a",{{"_placeholder":true,"num":{num}}}]"#);
        let outcome = decode_binary(&text, &[b"x"]);
        assert!(
            matches!(outcome, Err(PacketError::Args(_))),
            "{text}: {outcome:?}"
        );
    }
    let outcome = decode_binary(r#"51-[{"_placeholder":true,"num":0}]"#, &[]);
    assert!(
        matches!(outcome, Err(PacketError::InvalidEventName)),
        "the name must be text"
    );
}

#[test]
fn attachments_come_when_they_are_due_and_only_then() {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    let outcome = decoder.binary(b"x", &limits);
    assert!(matches!(outcome, Err(PacketError::UnexpectedAttachment)));

    for text in [r#"2["b"]"#, r#"51-["b"]"#, "1", "", "garbage"] {
        assert!(decoder.text(r#"51-["a"]"#, &limits).unwrap().is_none());
        assert_ne!(decoder.pending_bytes(), 0);
        let outcome = decoder.text(text, &limits);
        assert!(
            matches!(outcome, Err(PacketError::ExpectedAttachment)),
            "{text}"
        );
        assert_eq!(decoder.pending_bytes(), 0);
    }

    assert!(decoder.text(r#"51-["a"]"#, &limits).unwrap().is_none());
    assert!(decoder.binary(b"x", &limits).unwrap().is_some());
    let outcome = decoder.binary(b"x", &limits);
    assert!(matches!(outcome, Err(PacketError::UnexpectedAttachment)));
}

#[test]
fn pending_attachments_are_bounded() {
    let limits = Limits {
        max_pending_bytes: 10,
        ..Limits::default()
    };
    let text = r#"53-["a"]"#;
    let mut decoder = Decoder::new();
    assert!(decoder.text(text, &limits).unwrap().is_none());
    assert_eq!(decoder.pending_bytes(), text.len());
    assert!(decoder.binary(b"12345", &limits).unwrap().is_none());
    assert!(decoder.binary(b"12345", &limits).unwrap().is_none());
    assert_eq!(decoder.pending_bytes(), text.len() + 10);
    let outcome = decoder.binary(b"1", &limits);
    assert!(matches!(
        outcome,
        Err(PacketError::AttachmentsTooLong { limit: 10 })
    ));
    assert_eq!(decoder.pending_bytes(), 0);
}

#[test]
fn ceilings_count_to_the_last() {
    let limits = Limits {
        max_attachments: 1,
        max_args: 1,
        max_depth: 2,
        max_event_name: 3,
        ..Limits::default()
    };
    for (text, fits) in [
        (r#"2["abc",1]"#, true),
        (r#"2["abcd"]"#, false),
        (r#"2["\u0061bc"]"#, true),
        (r#"2["éé"]"#, false),
        ("2[1234]", false),
        (r#"2["a",1,2]"#, false),
        ("3[1]", true),
        ("3[1,2]", false),
        (r#"2["a",[]]"#, true),
        (r#"2["a",[[]]]"#, false),
        (r#"0{"a":[]}"#, true),
        (r#"0{"a":[[]]}"#, false),
        (r#"51-["a"]"#, true),
        (r#"52-["a"]"#, false),
    ] {
        assert_eq!(decode_with(text, &limits).is_ok(), fits, "{text}");
    }
    let none = Limits {
        max_args: 0,
        max_attachments: 0,
        ..Limits::default()
    };
    assert!(decode_with(r#"2["a"]"#, &none).is_ok());
    assert!(decode_with(r#"2["a",1]"#, &none).is_err());
    assert!(decode_with(r#"51-["a"]"#, &none).is_err());
}

#[test]
fn hostile_sizes_are_refused() {
    let digits = "1".repeat(1_000_000);
    for (text, is_binary) in [
        (format!("5{digits}"), true),
        (format!("5{digits}-"), true),
        (format!("2{digits}"), false),
        (format!("2{digits}[\"a\"]"), false),
        (format!("2/{digits},{digits}"), false),
    ] {
        match decode_binary(&text, &[]) {
            Err(PacketError::IllegalAttachments | PacketError::TooManyAttachments { .. }) => {
                assert!(is_binary);
            }
            Err(PacketError::IdTooLarge) => assert!(!is_binary),
            outcome => panic!("{outcome:?}"),
        }
    }
    let zeros = "0".repeat(1_000_000);
    assert_eq!(decode(&format!("2{zeros}7[\"a\"]")).unwrap().id(), Some(7));

    let mut decoder = Decoder::new();
    for _ in 0..1_000_000 {
        assert!(decoder.text("50-", &Limits::default()).is_err());
        assert_eq!(decoder.pending_bytes(), 0);
    }

    let deep = format!("2[\"a\",{}", "[".repeat(100_000));
    refused!(&deep, PacketError::Args(ArgsError::TooDeep { limit: 128 }));
    let deep = format!("0{}", "{\"a\":".repeat(100_000));
    refused!(&deep, PacketError::Args(ArgsError::TooDeep { limit: 128 }));
    let many = format!("2[\"a\"{}]", ",1".repeat(100_000));
    refused!(
        &many,
        PacketError::Args(ArgsError::TooMany { limit: 1_000 })
    );
    let name = format!("2[\"{}\"]", "n".repeat(100_000));
    refused!(&name, PacketError::EventNameTooLong { limit: 1_024 });
}

#[test]
fn an_idle_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 16);
}

#[test]
fn a_client_reads_refusals() {
    let limits = Limits::default();
    let mut decoder = Decoder::for_client();
    let packet = decoder
        .text(r#"4/a,{"message":"no"}"#, &limits)
        .unwrap()
        .unwrap();
    assert_eq!(
        describe(&packet),
        r#"ConnectError /a - "" {"message":"no"}"#
    );
    for text in ["4", "4[]", "4/a,"] {
        let outcome = decoder.text(text, &limits);
        assert!(
            matches!(outcome, Err(PacketError::InvalidPayload)),
            "{text}"
        );
    }
}

#[test]
fn server_packets() {
    let data = Value::from_iter([("code", 7)]);
    for (frame, expected) in [
        (connect_frame("/", "abc", None), r#"40{"sid":"abc"}"#),
        (
            connect_frame("/admin", "abc", Some("xyz")),
            r#"40/admin,{"sid":"abc","pid":"xyz"}"#,
        ),
        (
            connect_error_frame("/zzz", "Invalid namespace", None),
            r#"44/zzz,{"message":"Invalid namespace"}"#,
        ),
        (
            connect_error_frame("/", "no \"entry\"", Some(&data)),
            r#"44{"message":"no \"entry\"","data":{"code":7}}"#,
        ),
        (disconnect_frame("/"), "41"),
        (disconnect_frame("/admin"), "41/admin,"),
    ] {
        assert_eq!(frame, text_frame(expected));
    }
}

fn data(name: Option<&str>, args: &[Value]) -> Data {
    let mut writer = name.map_or_else(DataWriter::ack, DataWriter::event);
    for arg in args {
        writer.push(arg).unwrap();
    }
    writer.finish()
}

/// Takes framed messages apart: `"..."` stands for text, `[...]` for bytes.
fn unframe(frame: &[u8]) -> Vec<String> {
    Unframe::new(frame)
        .map(|message| match message.is_text {
            true => std::str::from_utf8(message.payload).unwrap().to_owned(),
            false => format!("{:?}", message.payload),
        })
        .collect()
}

#[test]
fn events_and_acknowledgements() {
    let bytes = Value::from(Bytes::from_static(&[1, 2]));
    for (namespace, id, args, event, ack) in [
        ("/", None, vec![], r#"42["ev"]"#, "430[]"),
        (
            "/",
            Some(12),
            vec![Value::Null],
            r#"4212["ev",null]"#,
            "4312[null]",
        ),
        (
            "/nsp",
            Some(0),
            vec![1.into(), "x".into()],
            r#"42/nsp,0["ev",1,"x"]"#,
            r#"43/nsp,0[1,"x"]"#,
        ),
        (
            "/nsp",
            Some(u64::MAX),
            vec![bytes.clone()],
            r#"451-/nsp,18446744073709551615["ev",{"_placeholder":true,"num":0}] [1, 2]"#,
            r#"461-/nsp,18446744073709551615[{"_placeholder":true,"num":0}] [1, 2]"#,
        ),
        (
            "/",
            Some(1),
            vec![bytes.clone(), vec![bytes.clone()].into()],
            r#"452-1["ev",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]] [1, 2] [1, 2]"#,
            r#"462-1[{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]] [1, 2] [1, 2]"#,
        ),
    ] {
        let of_event = data(Some("ev"), &args);
        let kept = frame_event_of(&of_event, namespace, id);
        assert_eq!(unframe(&kept).join(" "), event);
        assert_eq!(frame_event(of_event, namespace, id), kept);

        let of_ack = data(None, &args);
        let kept = frame_ack_of(&of_ack, namespace, id.unwrap_or(0));
        assert_eq!(unframe(&kept).join(" "), ack);
        assert_eq!(frame_ack(of_ack, namespace, id.unwrap_or(0)), kept);
    }
}

#[test]
fn json_is_written_as_javascript_would() {
    let mut writer = DataWriter::event("\"ev\"\n");
    writer.push(&[f64::NAN, f64::INFINITY, 1.5]).unwrap();
    writer.push(&Some("é")).unwrap();
    let data = writer.finish();
    assert_eq!(data.json(), "[\"\\\"ev\\\"\\n\",[null,null,1.5],\"é\"]");
}

#[test]
fn a_failed_push_leaves_no_trace() {
    let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let mut writer = DataWriter::ack();
    assert!(
        writer
            .push(&(Bytes::from_static(b"x"), &unwritable))
            .is_err()
    );
    writer.push(&1).unwrap();
    assert!(writer.push(&unwritable).is_err());
    writer.push(&Bytes::from_static(b"y")).unwrap();
    let data = writer.finish();
    assert_eq!(data.json(), r#"[1,{"_placeholder":true,"num":0}]"#);
    assert_eq!(data.attachments(), [Bytes::from_static(b"y")]);
}

#[test]
fn any_length_of_namespace_and_payload_is_framed() {
    for namespace_len in [1, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 60, 200] {
        for payload_len in [0, 100, 200, 65_400, 65_500, 65_600] {
            let namespace = format!("/{}", "n".repeat(namespace_len));
            let payload = Value::from("p".repeat(payload_len));
            let data = data(Some("ev"), std::slice::from_ref(&payload));
            let kept = frame_event_of(&data, &namespace, Some(1));
            assert_eq!(frame_event(data, &namespace, Some(1)), kept);
            assert_eq!(unframe(&kept).len(), 1);
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let bytes = prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
    prop_oneof![
        any_json(),
        bytes.clone().prop_map(Value::from),
        (any_json(), bytes).prop_map(|(value, bytes)| vec![value, bytes.into()].into()),
    ]
}

proptest! {
    #[test]
    fn packets_make_the_round_trip(
        name in ".{0,10}",
        namespace in "(/[a-z]{0,50})?",
        id in any::<Option<u64>>(),
        args in prop::collection::vec(any_value(), 0..5),
    ) {
        let namespace = if namespace.is_empty() { "/" } else { &namespace };
        prop_assume!(!RESERVED_EVENTS.contains(&&*name));
        for (kind, frame) in [
            (Kind::Event, frame_event(data(Some(&name), &args), namespace, id)),
            (Kind::Ack, frame_ack(data(None, &args), namespace, id.unwrap_or(7))),
        ] {
            let limits = Limits::default();
            let mut decoder = Decoder::new();
            let mut packet = None;
            for message in Unframe::new(&frame) {
                prop_assert!(packet.is_none());
                packet = match message.is_text {
                    true => decoder.text(&std::str::from_utf8(message.payload).unwrap()[1..], &limits).unwrap(),
                    false => decoder.binary(message.payload, &limits).unwrap(),
                };
            }
            let packet = packet.expect("the packet is whole");
            prop_assert_eq!(packet.kind(), kind);
            prop_assert_eq!(packet.namespace(), namespace);
            prop_assert_eq!(packet.id(), if kind == Kind::Ack { id.or(Some(7)) } else { id });
            prop_assert_eq!(packet.event(), if kind == Kind::Event { &name } else { "" });
            prop_assert_eq!(Args::values(packet.args()).unwrap(), args.clone());
        }
    }

    #[test]
    fn any_messages_are_read_or_refused(messages in prop::collection::vec(
        (r#"[0-7 ][0-9]{0,2}-?(/[a-z?]*,)?[0-9]{0,3}([\[{]([\[\]{},:"\\0-9a-c ]|"_placeholder":true|"num":)*[\]}])?"#, any::<bool>()),
        0..8,
    )) {
        let limits = Limits::default();
        let mut decoder = Decoder::new();
        for (message, is_text) in messages {
            let outcome = match is_text {
                true => decoder.text(&message, &limits),
                false => decoder.binary(message.as_bytes(), &limits),
            };
            if let Ok(Some(packet)) = &outcome {
                describe(packet);
                let _ = packet.args().values();
            }
            prop_assert!(outcome.is_ok() || decoder.pending_bytes() == 0);
        }
    }
}
