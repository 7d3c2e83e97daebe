use super::*;
use crate::{
    message::{Envelope, Known, Message, What, Wish},
    protocol::limits,
};
use bytes::Bytes;
use proptest::prelude::*;
use rooms_layer::{
    SocketId,
    rooms::{
        Selection,
        adapter::{Broadcast, Command, SocketInfo},
    },
    wire::{Args, Data, DataWriter, Limits, Value},
};
use std::time::Duration;

fn some() -> Limits {
    limits(1_000_000)
}

fn event(json: &str) -> Data {
    Data::parse_event(json, Vec::new(), &some()).unwrap()
}

fn args(json: &str) -> Args {
    Args::parse(json, Vec::new(), &some()).unwrap()
}

fn selection(rooms: &[&str], except: &[&str]) -> Selection {
    let to = match rooms {
        [] => Selection::everybody(),
        rooms => Selection::of(rooms.iter().copied()),
    };
    to.except(except.iter().copied())
}

fn is_broadcast(envelope: Envelope) -> (Option<Box<str>>, Selection, Broadcast) {
    match envelope.message {
        Message::Broadcast { to, broadcast } => (envelope.from, to, broadcast),
        other => panic!("{other:?}"),
    }
}

/// What was observed between Node's servers for `io.emit("hello", 1)`.
const HELLO: &[u8] = b"\x93\xa6abcdef\x83\xa4type\x02\xa4data\x92\xa5hello\x01\xa3nsp\xa1/\x83\xa5rooms\x90\xa6except\x90\xa5flags\x80";

#[test]
fn a_broadcast_has_the_bytes_of_node() {
    let everybody = Selection::everybody();
    let hello = Broadcast::new(event(r#"["hello",1]"#));
    let written = write_broadcast("abcdef", "/", &everybody, &hello).unwrap();
    assert_eq!(written, HELLO);

    let envelope = read_broadcast(HELLO, &some()).unwrap();
    assert_eq!(envelope.namespace.as_deref(), Some("/"));
    let (from, to, broadcast) = is_broadcast(envelope);
    assert_eq!(from.as_deref(), Some("abcdef"));
    assert_eq!(to, everybody);
    assert_eq!(broadcast.data.json(), r#"["hello",1]"#);
    assert!(!broadcast.volatile);
}

#[test]
fn a_broadcast_is_known_by_its_first_word() {
    let broadcast = Broadcast::new(event(r#"["hello",1]"#));
    let written = write_broadcast("abc", "/", &Selection::everybody(), &broadcast).unwrap();
    assert!(is_of(&written, "abc"));
    assert!(!is_of(&written, "ab"));
    for garbage in [&b""[..], b"abc", &written[..1]] {
        assert!(!is_of(garbage, "abc"), "{garbage:?}");
    }
}

#[test]
fn a_broadcast_carries_rooms_flags_and_attachments() {
    let mut data = DataWriter::event("photo");
    data.push(&Bytes::from_static(&[1, 2])).unwrap();
    let broadcast = Broadcast::new(data.finish()).volatile(true);
    let to = selection(&["a", "b"], &["c"]);
    let written = write_broadcast("u", "/chat", &to, &broadcast).unwrap();

    let envelope = read_broadcast(&written, &some()).unwrap();
    assert_eq!(envelope.namespace.as_deref(), Some("/chat"));
    let (_, read_to, read) = is_broadcast(envelope);
    assert_eq!(read_to, to);
    assert!(read.volatile);
    assert_eq!(read.data.json(), broadcast.data.json());
    assert_eq!(read.data.attachments(), broadcast.data.attachments());
}

/// The order of the keys is not the same in emitters; rooms may be numbers; a namespace that is left out is the main one.
#[test]
fn a_broadcast_of_others_may_look_different() {
    let text = b"\x93\xa7emitter\x82\xa4data\x91\xa2hi\xa4type\x02\x83\xa5flags\xc0\xa5rooms\x92\x07\xa1x\xa6except\x90";
    let envelope = read_broadcast(text, &some()).unwrap();
    assert_eq!(envelope.namespace.as_deref(), Some("/"));
    let (from, to, broadcast) = is_broadcast(envelope);
    assert_eq!(from.as_deref(), Some("emitter"));
    assert_eq!(to, selection(&["7", "x"], &[]));
    assert_eq!(broadcast.data.json(), r#"["hi"]"#);
}

#[test]
fn requests_have_the_form_of_node() {
    let everybody = Selection::everybody();
    let room = selection(&["r"], &["s"]);
    let cases = [
        (
            Message::AskAbout {
                id: "i".into(),
                to: everybody.clone(),
                what: What::Rooms,
            },
            r#"{"uid":"u","requestId":"i","type":1}"#,
        ),
        (
            Message::Command {
                to: room.clone(),
                command: Command::Join(vec!["x".into()]),
                confirm: None,
            },
            r#"{"uid":"u","type":2,"opts":{"rooms":["r"],"except":["s"]},"rooms":["x"]}"#,
        ),
        (
            Message::Command {
                to: room.clone(),
                command: Command::Leave(vec!["x".into()]),
                confirm: None,
            },
            r#"{"uid":"u","type":3,"opts":{"rooms":["r"],"except":["s"]},"rooms":["x"]}"#,
        ),
        (
            Message::Command {
                to: room.clone(),
                command: Command::Disconnect { close: true },
                confirm: None,
            },
            r#"{"uid":"u","type":4,"opts":{"rooms":["r"],"except":["s"]},"close":true}"#,
        ),
        (
            Message::AskAbout {
                id: "i".into(),
                to: room,
                what: What::Sockets,
            },
            r#"{"uid":"u","requestId":"i","type":5,"opts":{"rooms":["r"],"except":["s"]}}"#,
        ),
        (
            Message::Tell {
                event: event(r#"["ev",{"a":1}]"#),
                answer: None,
            },
            r#"{"uid":"u","type":6,"data":["ev",{"a":1}]}"#,
        ),
    ];
    for (message, expected) in cases {
        let written = write_request(Some("u"), "/", &message).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
        let read = read_request(expected.as_bytes(), &some()).unwrap();
        assert_eq!(read.from.as_deref(), Some("u"));
        assert_eq!(format!("{:?}", read.message), format!("{message:?}"));
    }
}

#[test]
fn a_question_for_acknowledgements_is_msgpack_without_placeholders() {
    let message = Message::AskAcks {
        id: "i".into(),
        to: selection(&["r"], &[]),
        event: event(r#"["ev",1]"#),
        timeout: Some(Duration::from_secs(2)),
    };
    let written = write_request(Some("u"), "/n", &message).unwrap();
    assert!(written.starts_with(
        b"\x85\xa3uid\xa1u\xa9requestId\xa1i\xa4type\x07\xa6packet\x83\xa4type\x02\xa4data\x92\xa2ev\x01\xa3nsp\xa2/n\xa4opts\x83\xa5rooms"
    ));
    let read = read_request(&written, &some()).unwrap();
    assert_eq!(format!("{:?}", read.message), format!("{message:?}"));
}

/// Bytes make msgpack of an event for servers: Node tells the two apart by the first byte, whatever the request.
#[test]
fn an_event_for_servers_carries_bytes() {
    let mut data = DataWriter::event("ev");
    data.push(&Bytes::from_static(&[7])).unwrap();
    let answer = Some(Wish {
        id: "i".into(),
        even_if_nothing: true,
    });
    let message = Message::Tell {
        event: data.finish(),
        answer,
    };
    let written = write_request(Some("u"), "/", &message).unwrap();
    assert_ne!(written[0], b'{');
    match read_request(&written, &some()).unwrap().message {
        Message::Tell {
            event,
            answer: Some(wish),
        } => {
            assert_eq!(event.attachments(), [Bytes::from_static(&[7])]);
            assert!(wish.even_if_nothing);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_of_old_servers_and_of_emitters_are_understood() {
    let read = |json: &str| read_request(json.as_bytes(), &some()).unwrap();
    let command = |json: &str| match read(json).message {
        Message::Command {
            to,
            command,
            confirm,
        } => (to, command, confirm),
        other => panic!("{other:?}"),
    };
    let one = || selection(&["s"], &[]);
    assert_eq!(
        command(r#"{"requestId":"i","type":2,"sid":"s","room":"r"}"#),
        (one(), Command::Join(vec!["r".into()]), Some("i".into()))
    );
    assert_eq!(
        command(r#"{"requestId":"i","type":3,"sid":"s","room":"r"}"#),
        (one(), Command::Leave(vec!["r".into()]), Some("i".into()))
    );
    assert_eq!(
        command(r#"{"requestId":"i","type":4,"sid":"s","close":true}"#),
        (one(), Command::Disconnect { close: true }, Some("i".into()))
    );
    let of_emitter = r#"{"type":2,"opts":{"rooms":["s"],"except":[]},"rooms":["r"]}"#;
    assert_eq!(read(of_emitter).from, None);
    assert_eq!(
        command(of_emitter),
        (one(), Command::Join(vec!["r".into()]), None)
    );
    match read(r#"{"requestId":"i","type":0,"rooms":["s"]}"#).message {
        Message::AskAbout {
            to,
            what: What::Ids,
            ..
        } => assert_eq!(to, one()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn responses_have_the_form_of_node() {
    let id = || "i".into();
    let mut socket = SocketInfo::new(SocketId::from("s"), vec!["s".into(), "r".into()]);
    socket.data = Some(
        serde_json::value::RawValue::from_string(r#"{"n":1}"#.into())
            .unwrap()
            .into(),
    );
    let cases = [
        (
            Message::Known {
                id: id(),
                known: Known::Ids(vec!["s".into()]),
            },
            r#"{"requestId":"i","sockets":["s"]}"#,
        ),
        (
            Message::Known {
                id: id(),
                known: Known::Rooms(vec!["r".into()]),
            },
            r#"{"requestId":"i","rooms":["r"]}"#,
        ),
        (
            Message::Known {
                id: id(),
                known: Known::Sockets(vec![socket]),
            },
            r#"{"requestId":"i","sockets":[{"id":"s","handshake":{},"rooms":["s","r"],"data":{"n":1}}]}"#,
        ),
        (
            Message::Heard {
                id: id(),
                args: Some(args("[5]")),
            },
            r#"{"type":6,"requestId":"i","data":5}"#,
        ),
        (
            Message::Clients { id: id(), count: 3 },
            r#"{"type":8,"requestId":"i","clientCount":3}"#,
        ),
        (Message::Done { id: id() }, r#"{"requestId":"i"}"#),
    ];
    for (message, expected) in cases {
        let written = write_response(&message).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}

#[test]
fn answers_come_back_as_they_were() {
    let id = || "i".into();
    let cases = [
        Message::Known {
            id: id(),
            known: Known::Count(4),
        },
        Message::Known {
            id: id(),
            known: Known::Rooms(vec!["r".into()]),
        },
        Message::Heard {
            id: id(),
            args: None,
        },
        Message::Clients { id: id(), count: 3 },
        Message::Done { id: id() },
    ];
    for message in cases {
        let read = read_response(&write_response(&message).unwrap(), &some()).unwrap();
        assert_eq!(format!("{:?}", read.message), format!("{message:?}"));
    }
    // Of Node, whose response says neither who acknowledged nor all arguments.
    let node = b"\x83\xa4type\x09\xa9requestId\xa1i\xa6packet\xc4\x01\x07";
    match read_response(node, &some()).unwrap().message {
        Message::Acked { socket, args, .. } => {
            assert!(socket.is_anonymous());
            assert_eq!(
                args.values().unwrap(),
                [Value::Binary(Bytes::from_static(&[7]))]
            );
        }
        other => panic!("{other:?}"),
    }
    for json in ["[]", "[1]", r#"["a",{"b":[null]}]"#] {
        let socket = SocketId::random();
        let message = Message::Acked {
            id: id(),
            socket: socket.clone(),
            args: args(json),
        };
        match read_response(&write_response(&message).unwrap(), &some())
            .unwrap()
            .message
        {
            Message::Acked {
                socket: from,
                args: read,
                ..
            } => {
                assert_eq!(from, socket);
                assert_eq!(read.values().unwrap(), args(json).values().unwrap());
            }
            other => panic!("{other:?}"),
        }
        let message = Message::Heard {
            id: id(),
            args: Some(args(json)),
        };
        match read_response(&write_response(&message).unwrap(), &some())
            .unwrap()
            .message
        {
            Message::Heard {
                args: Some(read), ..
            } => {
                assert_eq!(read.values().unwrap(), args(json).values().unwrap());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn garbage_is_told_what_it_lacks() {
    let cases = [
        ("{", "does not have the expected form"),
        (r#"{"type":99}"#, "unknown type 99"),
        (r#"{"type":1}"#, "type 1 lacks `requestId`"),
        (r#"{"type":2,"rooms":[]}"#, "type 2 lacks `opts`"),
        (r#"{"type":2,"opts":{}}"#, "type 2 lacks `rooms`"),
        (r#"{"type":6}"#, "type 6 lacks `data`"),
        (r#"{"type":6,"data":[]}"#, "name is neither"),
        (r#"{"type":6,"data":{}}"#, "not valid JSON"),
        ("", "ends before"),
        ("\u{80}", "msgpack"),
    ];
    for (text, expected) in cases {
        let error = read_request(text.as_bytes(), &some())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let deep = format!(
        r#"{{"type":6,"data":["a",{}{}]}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(read_request(deep.as_bytes(), &some()).is_err());
    assert!(read_broadcast(b"\x93\xa1u\xdf\xff\xff\xff\xff", &some()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_broadcast(&bytes, &some());
        let _ = read_request(&bytes, &some());
        let _ = read_response(&bytes, &some());
    }

    /// What is nearly right goes deeper into the readers.
    #[test]
    fn no_damage_makes_a_reader_panic(at in 0..HELLO.len(), byte: u8, kind in 0u64..12, cut in 0usize..400) {
        let mut bytes = HELLO.to_vec();
        bytes[at] = byte;
        let _ = read_broadcast(&bytes, &some());
        let text = format!(
            r#"{{"type":{kind},"requestId":"i","uid":"u","opts":{{"rooms":["a",1],"except":[],"flags":{{"timeout":1e300}}}},"rooms":[],"sid":"s","room":"r","data":["e",{{"_placeholder":true,"num":0}}],"packet":{{"type":2,"data":["e",[]]}},"sockets":[{{"id":"s"}}],"clientCount":3}}"#
        );
        let cut = text.len().saturating_sub(cut);
        let _ = read_request(&text.as_bytes()[..cut], &some());
        let _ = read_response(&text.as_bytes()[..cut], &some());
    }

    #[test]
    fn a_broadcast_comes_back(rooms in prop::collection::vec(".*", 1..4), except in prop::collection::vec(".*", 0..4), text: String, volatile: bool) {
        let mut data = DataWriter::event("e");
        data.push(&text).unwrap();
        let broadcast = Broadcast::new(data.finish()).volatile(volatile);
        let to = Selection::of(rooms).except(except);
        let written = write_broadcast("u", "/", &to, &broadcast).unwrap();
        let (_, read_to, read) = is_broadcast(read_broadcast(&written, &some()).unwrap());
        prop_assert_eq!(read_to, to);
        prop_assert_eq!(read.volatile, volatile);
        let sent = Args::from_data(&broadcast.data).unwrap().values().unwrap();
        prop_assert_eq!(Args::from_data(&read.data).unwrap().values().unwrap(), sent);
    }
}
