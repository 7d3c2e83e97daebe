use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::wire::{
    Data, DataWriter, Format, Frames, Value,
    args::ArgsError,
    msgpack::ReadError,
    socket_io::{
        Decoder, Parsers, connect_error_frame, connect_frame, disconnect_frame, frame_ack,
        frame_event,
    },
    value::tests::any_json,
    websocket::{binary_frame, text_frame},
};

/// The kind, namespace, id, event and arguments of a packet, in one line.
fn describe(packet: &Packet) -> String {
    let values = packet.args().values().unwrap();
    let id = packet.id().map_or("-".to_owned(), |id| id.to_string());
    let (kind, namespace, event) = (packet.kind(), packet.namespace(), packet.event());
    format!("{kind:?} {namespace} {id} {event:?} {values:?}")
}

fn decode(message: &[u8]) -> Result<Packet, PacketError> {
    let mut decoder = Decoder::with_parsers(Parsers::Msgpack);
    let packet = decoder.binary(message, &Limits::default())?;
    assert_eq!(decoder.pending_bytes(), 0);
    Ok(packet.expect("every message is a packet"))
}

/// A packet put together by hand: its fields are keys and values in turn.
fn fields(count: u8, fields: &[&[u8]]) -> Vec<u8> {
    [&[0x80 | count], fields.concat().as_slice()].concat()
}

const TYPE: &[u8] = b"\xa4type";
const NSP: &[u8] = b"\xa3nsp\xa1/";
const DATA: &[u8] = b"\xa4data";
const UNDEFINED: &[u8] = b"\xd4\x00\x00";

fn event(payload: &[u8]) -> Vec<u8> {
    fields(3, &[TYPE, b"\x02", NSP, DATA, payload])
}

/// The bytes are those of the official client with its msgpack parser.
#[test]
fn reads_what_the_official_client_sends() {
    for (message, expected) in [
        (
            fields(3, &[TYPE, b"\x00", DATA, UNDEFINED, b"\xa3nsp\xa2/a"]),
            r#"Connect /a - "" []"#,
        ),
        (
            b"\x83\xa4type\x00\xa4data\x81\xa1t\x01\xa3nsp\xa1/".to_vec(),
            r#"Connect / - "" [Object([("t", Int(1))])]"#,
        ),
        (
            b"\x82\xa4type\x01\xa3nsp\xa1/".to_vec(),
            r#"Disconnect / - "" []"#,
        ),
        (
            b"\x84\xa2id\x00\xa4type\x03\xa4data\x92\xa2ok\xc4\x01\x09\xa3nsp\xa1/".to_vec(),
            r#"Ack / 0 "" [String("ok"), Binary(b"\t")]"#,
        ),
        (
            b"\x85\xa4type\x02\xa4data\x93\xa1e\x2a\xc7\x02\x00ab\xa7options\x81\xa8compress\xc3\xa2id\x07\xa3nsp\xa2/a"
                .to_vec(),
            r#"Event /a 7 "e" [Int(42), Binary(b"ab")]"#,
        ),
    ] {
        assert_eq!(describe(&decode(&message).unwrap()), expected);
    }
}

#[test]
fn absent_nil_and_undefined_are_the_same() {
    let connect = [TYPE, b"\x00", NSP];
    let disconnect = [TYPE, b"\x01", NSP];
    let ack = [TYPE, b"\x03", NSP, DATA, b"\x90"];
    let with = |fields_: &[&[u8]], count, key: &[u8], value| {
        fields(count, &[fields_, &[key, value][..]].concat())
    };
    for nothing in [UNDEFINED, b"\xc0"] {
        for (message, expected) in [
            (with(&connect, 3, DATA, nothing), r#"Connect / - "" []"#),
            (
                with(&disconnect, 3, DATA, nothing),
                r#"Disconnect / - "" []"#,
            ),
            (with(&ack, 4, b"\xa2id", nothing), r#"Ack / - "" []"#),
        ] {
            assert_eq!(describe(&decode(&message).unwrap()), expected);
        }
    }
    // Of a field that occurs twice the last one counts, as in JavaScript.
    let twice = with(&ack, 4, DATA, b"\x91\x01");
    assert_eq!(describe(&decode(&twice).unwrap()), r#"Ack / - "" [Int(1)]"#);
}

#[test]
fn refuses_what_node_closes_on() {
    macro_rules! refused {
        ($message:expr, $error:pat) => {
            let message: Vec<u8> = $message;
            let outcome = decode(&message);
            assert!(
                matches!(outcome, Err($error)),
                "{message:02x?}: {outcome:?}"
            );
        };
    }
    refused!(vec![], PacketError::Msgpack(ReadError::Truncated));
    for no_map in [&b"\xc0"[..], b"\x90", b"\x02", b"\xa2hi", b"\xc4\x02hi"] {
        refused!(
            no_map.to_vec(),
            PacketError::Msgpack(ReadError::Unexpected { .. })
        );
    }
    refused!(fields(1, &[NSP]), PacketError::Incomplete);
    refused!(fields(1, &[TYPE, b"\x00"]), PacketError::Incomplete);
    refused!(
        [event(b"\x91\xa1e"), vec![0]].concat(),
        PacketError::Msgpack(ReadError::Trailing { bytes: 1 })
    );
    for kind in [&b"\x05"[..], b"\x06", b"\xcc\xff"] {
        refused!(fields(2, &[TYPE, kind, NSP]), PacketError::UnknownType);
    }
    for kind in [&b"\xff"[..], b"\xa10", b"\xc0", b"\xcb\x3f\xe0\0\0\0\0\0\0"] {
        refused!(fields(2, &[TYPE, kind, NSP]), PacketError::Msgpack(_));
    }
    refused!(fields(2, &[TYPE, b"\x04", NSP]), PacketError::ServerOnly);
    for namespace in [&b"\xa3nsp\xc0"[..], b"\xa3nsp\x07", b"\xa3nsp\xc4\x01/"] {
        refused!(
            fields(2, &[TYPE, b"\x00", namespace]),
            PacketError::Msgpack(_)
        );
    }
    for namespace in [&b"\xa3nsp\xa0"[..], b"\xa3nsp\xa1a", b"\xa3nsp\xa4/a,b"] {
        refused!(
            fields(2, &[TYPE, b"\x00", namespace]),
            PacketError::InvalidNamespace
        );
    }
    for id in [&b"\xa10"[..], b"\xff", b"\xcb\x3f\xe0\0\0\0\0\0\0", b"\x90"] {
        let message = fields(4, &[TYPE, b"\x03", NSP, DATA, b"\x90", b"\xa2id", id]);
        refused!(message, PacketError::Msgpack(_));
    }
    for (kind, data) in [
        (b"\x00", &b"\x90"[..]),
        (b"\x00", b"\xa1x"),
        (b"\x00", b"\xc3"),
        (b"\x01", b"\x80"),
        (b"\x02", b"\x80"),
        (b"\x02", b"\xc0"),
        (b"\x02", b"\xa1e"),
        (b"\x03", b"\x80"),
        (b"\x03", b"\xc4\x00"),
    ] {
        refused!(
            fields(3, &[TYPE, kind, NSP, DATA, data]),
            PacketError::InvalidPayload
        );
    }
    for kind in [b"\x02", b"\x03"] {
        refused!(fields(2, &[TYPE, kind, NSP]), PacketError::InvalidPayload);
    }
}

/// Node's parser does not look at the names in msgpack; here an event is the same in either format.
#[test]
fn names_are_checked_as_in_json() {
    assert_eq!(decode(&event(b"\x91\x07")).unwrap().event(), "7");
    assert_eq!(decode(&event(b"\x91\xa2a\n")).unwrap().event(), "a\n");
    for name in [
        &b"\x90"[..],
        b"\x91\xc0",
        b"\x91\xc3",
        b"\x91\x90",
        b"\x91\x80",
        b"\x91\xc4\x01a",
    ] {
        let outcome = decode(&event(name));
        assert!(
            matches!(outcome, Err(PacketError::InvalidEventName)),
            "{outcome:?}"
        );
    }
    for name in super::super::RESERVED_EVENTS {
        let mut payload = vec![0x91, 0xa0 | name.len() as u8];
        payload.extend_from_slice(name.as_bytes());
        assert!(matches!(
            decode(&event(&payload)),
            Err(PacketError::ReservedEventName)
        ));
    }
    let long = [&b"\x91\xda\x04\x01"[..], &[b'x'; 1_025]].concat();
    assert!(matches!(
        decode(&event(&long)),
        Err(PacketError::EventNameTooLong { limit: 1_024 })
    ));
}

#[test]
fn keeps_to_the_ceilings_of_json() {
    let attachments = |count: u8| {
        let payload = [
            &[0x90 | (count + 1), 0xa1, b'e'][..],
            &b"\xc4\x00".repeat(count.into()),
        ]
        .concat();
        decode(&event(&payload)).map(|packet| packet.args().attachments().len())
    };
    assert_eq!(attachments(10).unwrap(), 10);
    assert!(matches!(
        attachments(11),
        Err(PacketError::Msgpack(ReadError::TooManyAttachments {
            limit: 10
        }))
    ));
    let args = |count: u16| {
        let payload = [
            &b"\xdc"[..],
            &(count + 1).to_be_bytes(),
            b"\xa1e",
            &vec![0xc0; count.into()],
        ]
        .concat();
        decode(&event(&payload)).map(|packet| packet.args().len())
    };
    assert_eq!(args(1_000).unwrap(), 1_000);
    assert!(matches!(
        args(1_001),
        Err(PacketError::Msgpack(ReadError::Args(ArgsError::TooMany {
            limit: 1_000
        })))
    ));
    let depth = |depth: usize| {
        let payload = [&b"\x92\xa1e"[..], &vec![0x91; depth - 1], b"\xc0"].concat();
        decode(&event(&payload)).map(drop)
    };
    depth(128).unwrap();
    assert!(matches!(
        depth(129),
        Err(PacketError::Msgpack(ReadError::Args(ArgsError::TooDeep {
            limit: 128
        })))
    ));
}

/// A packet in JSON and the same in msgpack.
fn says_the_same(json: &Bytes, message: &[u8]) {
    let frames = Frames::from(json.clone());
    assert_eq!(frames.in_format(Format::Json), Some(json));
    let framed = frames.in_format(Format::Msgpack).unwrap();
    let again = frames.in_format(Format::Msgpack).unwrap();
    assert_eq!(again.as_ptr(), framed.as_ptr(), "it is made once");
    let messages: Vec<_> = Unframe::new(framed).collect();
    assert_eq!(messages.len(), 1);
    assert!(!messages[0].is_text);
    let hex = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
    assert_eq!(hex(messages[0].payload), hex(message));
}

#[test]
fn every_packet_of_a_server_has_its_form() {
    says_the_same(
        &connect_frame("/a", "id", None),
        b"\x83\xa4type\x00\xa3nsp\xa2/a\xa4data\x81\xa3sid\xa2id",
    );
    says_the_same(
        &connect_error_frame("/", "no", Some(&Value::from(401))),
        b"\x83\xa4type\x04\xa3nsp\xa1/\xa4data\x82\xa7message\xa2no\xa4data\xcd\x01\x91",
    );
    says_the_same(&disconnect_frame("/"), b"\x82\xa4type\x01\xa3nsp\xa1/");
    fn data(mut writer: DataWriter, argument: &impl serde::Serialize) -> Data {
        writer.push(argument).unwrap();
        writer.finish()
    }
    let blob = Bytes::from_static(b"xy");
    says_the_same(
        &frame_event(
            data(DataWriter::event("e"), &(1, blob.clone())),
            "/a",
            Some(300),
        ),
        b"\x84\xa4type\x02\xa3nsp\xa2/a\xa4data\x92\xa1e\x92\x01\xc4\x02xy\xa2id\xcd\x01\x2c",
    );
    says_the_same(
        &frame_ack(data(DataWriter::ack(), &blob), "/", 0),
        b"\x84\xa4type\x03\xa3nsp\xa1/\xa4data\x91\xc4\x02xy\xa2id\x00",
    );
}

/// A client's format is that of its first packet, where both are served.
#[test]
fn the_first_packet_settles_the_format() {
    let limits = Limits::default();
    let connect = fields(2, &[TYPE, b"\x00", NSP]);
    for (parsers, takes_text, takes_msgpack) in [
        (Parsers::Json, true, false),
        (Parsers::Msgpack, false, true),
        (Parsers::Both, true, true),
    ] {
        assert_eq!(
            Decoder::with_parsers(parsers).text("0", &limits).is_ok(),
            takes_text
        );
        assert_eq!(
            Decoder::with_parsers(parsers)
                .binary(&connect, &limits)
                .is_ok(),
            takes_msgpack
        );
    }
    let mut decoder = Decoder::with_parsers(Parsers::Both);
    assert!(decoder.text("0", &limits).unwrap().is_some());
    assert_eq!(decoder.format(), Format::Json);
    assert!(matches!(
        decoder.binary(&connect, &limits),
        Err(PacketError::UnexpectedAttachment)
    ));

    let mut decoder = Decoder::with_parsers(Parsers::Both);
    assert!(decoder.binary(&connect, &limits).unwrap().is_some());
    assert_eq!(decoder.format(), Format::Msgpack);
    assert!(matches!(
        decoder.text("0", &limits),
        Err(PacketError::ExpectedMsgpack)
    ));
}

proptest! {
    /// An event says the same to clients of either format.
    #[test]
    fn formats_agree(values in prop::collection::vec(any_json(), 0..4), blob: Vec<u8>, id: Option<u64>) {
        let mut writer = DataWriter::event("e");
        for value in &values {
            writer.push(value).unwrap();
        }
        writer.push(&Bytes::from(blob)).unwrap();
        let json = frame_event(writer.finish(), "/a", id);
        let frames = Frames::from(json.clone());

        let limits = Limits::default();
        let mut in_json = Decoder::for_client();
        let packet = Unframe::new(&json).fold(None, |_, message| match message.is_text {
            true => in_json.text(str::from_utf8(&message.payload[1..]).unwrap(), &limits).unwrap(),
            false => in_json.binary(message.payload, &limits).unwrap(),
        });
        let framed = frames.in_format(Format::Msgpack).unwrap();
        let again = decode(Unframe::new(framed).next().unwrap().payload).unwrap();
        prop_assert_eq!(describe(&again), describe(&packet.unwrap()));
    }

    /// Also what is no packet of ours.
    #[test]
    fn any_text_has_a_form_or_none(text in "[0-6]?(/a,)?[0-9]?[\\[\\]{}\",:a1\\\\ ]{0,20}", blob: Vec<u8>) {
        let mut frames = text_frame(&format!("4{text}")).to_vec();
        frames.extend_from_slice(&binary_frame(&blob));
        let _ = Frames::from(Bytes::from(frames)).in_format(Format::Msgpack);
    }

    #[test]
    fn any_message_is_read_or_refused(message: Vec<u8>) {
        let _ = decode(&message);
    }

    #[test]
    fn any_payload_is_read_or_refused(payload: Vec<u8>) {
        if let Ok(packet) = decode(&event(&payload)) {
            prop_assert!(!packet.event().is_empty() || payload.starts_with(b"\x91\xa0"));
        }
    }
}
