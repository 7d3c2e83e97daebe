use super::*;
use crate::{
    message::Message,
    protocol::{Malformed, cluster, limits},
};
use bytes::Bytes;
use proptest::prelude::*;
use rooms_layer::{
    rooms::{Selection, adapter::Broadcast},
    wire::{Data, DataWriter, Limits},
};

fn some() -> Limits {
    limits(1_000_000)
}

fn read(fields: &[(&str, &str)]) -> Result<Option<Entry>, Malformed> {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    read_entry(fields, &some())
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    let fields = fields.iter();
    fields
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

fn hello() -> Broadcast {
    let data = Data::parse_event(r#"["hello",1]"#, Vec::new(), &some());
    Broadcast::new(data.unwrap())
}

#[test]
fn an_entry_has_the_fields_of_node() {
    let written = cluster::write_broadcast(&Selection::everybody(), &hello());
    let fields = write_entry("u", "/", written, false).unwrap();
    let data =
        r#"{"packet":{"type":2,"data":["hello",1]},"opts":{"rooms":[],"except":[],"flags":{}}}"#;
    let expected = [("uid", "u"), ("nsp", "/"), ("type", "3"), ("data", data)];
    assert_eq!(borrowed(&fields), expected);

    let entry = read(&expected).unwrap().unwrap();
    assert!(!entry.is_local);
    assert_eq!(entry.envelope.from.as_deref(), Some("u"));
    match entry.envelope.message {
        Message::Broadcast { broadcast, .. } => {
            assert_eq!(broadcast.data.json(), r#"["hello",1]"#);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_make_base64_of_the_data() {
    let mut data = DataWriter::event("photo");
    data.push(&Bytes::from_static(&[1, 2])).unwrap();
    let broadcast = Broadcast::new(data.finish());
    let written = cluster::write_broadcast(&Selection::of(["r"]), &broadcast);
    let fields = write_entry("u", "/", written, true).unwrap();
    assert_eq!(fields[2], ("type", "103".to_owned()));
    assert!(!fields[3].1.starts_with('{'));
    let entry = read(&borrowed(&fields)).unwrap().unwrap();
    assert!(entry.is_local);
    match entry.envelope.message {
        Message::Broadcast {
            to,
            broadcast: read,
        } => {
            assert_eq!(to, Selection::of(["r"]));
            assert_eq!(read.data.json(), broadcast.data.json());
            assert_eq!(read.data.attachments(), broadcast.data.attachments());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn entries_of_others_are_passed_over_or_refused() {
    assert!(read(&[("temperature", "21")]).unwrap().is_none());
    assert!(matches!(
        read(&[("nsp", "/")]),
        Err(Malformed::Lacks(0, "type"))
    ));
    assert!(matches!(
        read(&[("nsp", "/"), ("type", "3"), ("data", "?")]),
        Err(Malformed::Base64)
    ));
    let long = "x".repeat(1_000_001);
    assert!(matches!(
        read(&[("nsp", "/"), ("type", "3"), ("data", &long)]),
        Err(Malformed::TooLong)
    ));
}

#[test]
fn ids_are_read_and_ordered() {
    let id = |text: &str| text.parse::<StreamId>();
    assert_eq!(
        id("1795149263970-0").unwrap().to_string(),
        "1795149263970-0"
    );
    assert!(id("9-0").unwrap() < id("10-0").unwrap());
    assert!(id("9-2").unwrap() < id("9-10").unwrap());
    assert_eq!(id("5-1").unwrap().next(), Some(id("5-2").unwrap()));
    let last = format!("7-{}", u64::MAX);
    assert_eq!(id(&last).unwrap().next(), Some(id("8-0").unwrap()));
    let last = format!("{0}-{0}", u64::MAX);
    assert_eq!(id(&last).unwrap().next(), None);
    for text in [
        "",
        "1",
        "-",
        "1-",
        "-1",
        "+1-0",
        "1-0-0",
        "1-a",
        "1-00",
        "01-0",
        "18446744073709551616-0",
    ] {
        assert_eq!(id(text), Err(NoId), "{text}");
    }
}

use super::id::NoId;

#[test]
fn a_session_comes_back_and_node_can_read_it() {
    let session = SavedSession {
        sid: "s".into(),
        pid: "p".into(),
        rooms: crate::protocol::parts::Names(vec!["s".into(), "r".into()]),
        since: [("r".into(), "1-0".into())].into(),
        left: vec![SavedStay {
            room: "x".into(),
            from: "1-0".into(),
            to: "2-0".into(),
        }],
        ..SavedSession::default()
    };
    let saved = write_session(&session);
    let read = read_session(saved.as_bytes(), &some()).unwrap();
    assert_eq!(format!("{read:?}"), format!("{session:?}"));

    // Of Node: `{sid: "s", pid: "p", rooms: ["s"], data: {}}`.
    let node = "hKNzaWShc6NwaWShcKVyb29tc5Ghc6RkYXRhgA==";
    let read = read_session(node.as_bytes(), &some()).unwrap();
    assert_eq!((&*read.sid, &*read.pid), ("s", "p"));
    assert_eq!(read.data.unwrap().get(), "{}");
}

proptest! {
    #[test]
    fn nothing_in_a_stream_makes_a_reader_panic(kind in "[0-9]{0,3}", data in "[\\[{\"0-9a-z,:\\]}=]{0,40}", bytes: Vec<u8>) {
        let _ = read(&[("nsp", "/"), ("type", &kind), ("data", &data)]);
        let _ = read_entry([(&b"nsp"[..], &bytes[..]), (b"type", b"3"), (b"data", &bytes)], &some());
        let _ = read_session(&bytes, &some());
        let _ = read_session(data.as_bytes(), &some());
        let _ = data.parse::<StreamId>();
    }
}
