use super::*;
use crate::protocol::limits;
use proptest::prelude::*;
use rooms_layer::wire::DataWriter;
use std::time::Duration;

fn some() -> Limits {
    limits(1_000_000)
}

fn event(json: &str) -> Data {
    Data::parse_event(json, Vec::new(), &some()).unwrap()
}

fn bytes() -> Data {
    let mut data = DataWriter::event("ev");
    data.push(&(1, Bytes::from_static(&[7]))).unwrap();
    data.finish()
}

fn args(json: &str) -> Args {
    Args::parse(json, Vec::new(), &some()).unwrap()
}

fn to() -> Selection {
    Selection::of(["r"]).except(["s"])
}

fn text(message: &Message) -> String {
    let written = write(message).into_json("u", "/").unwrap();
    String::from_utf8(written).unwrap()
}

/// What was observed between Node's servers for `io.emit("hello", 1)`.
#[test]
fn a_broadcast_has_the_text_of_node() {
    let hello = r#"{"type":3,"data":{"packet":{"type":2,"data":["hello",1]},"opts":{"rooms":[],"except":[],"flags":{}}},"uid":"b89a59e863147504","nsp":"/"}"#;
    let broadcast = Broadcast::new(event(r#"["hello",1]"#));
    let written = write_broadcast(&Selection::everybody(), &broadcast);
    let written = written.into_json("b89a59e863147504", "/").unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), hello);

    let envelope = read(hello.as_bytes(), &some()).unwrap();
    assert_eq!(envelope.from.as_deref(), Some("b89a59e863147504"));
    assert_eq!(envelope.namespace.as_deref(), Some("/"));
    match envelope.message {
        Message::Broadcast { to, broadcast } => {
            assert_eq!(to, Selection::everybody());
            assert_eq!(broadcast.data.json(), r#"["hello",1]"#);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_server_says_can_be_told_by_its_end() {
    let end = end("a\"b", "/x");
    let says = |uid, namespace, event| {
        let written = write_broadcast(&to(), &Broadcast::new(event));
        let written = written.into_json(uid, namespace).unwrap();
        written.ends_with(end.as_bytes())
    };
    assert!(says("a\"b", "/x", event("[\"ev\"]")));
    assert!(!says("a", "/x", event("[\"ev\"]")));
    assert!(!says("a\"b", "/", event("[\"ev\"]")));
    // Others may quote it.
    let mut quoting = DataWriter::event("ev");
    quoting.push(&end).unwrap();
    assert!(!says("other", "/x", quoting.finish()));
    let nested = format!(r#"{{"type":3,"data":{{"packet":{{}}{end}}}"#);
    assert!(!nested.as_bytes().ends_with(end.as_bytes()));
}

#[test]
fn messages_have_the_form_of_node() {
    let id = || "i".into();
    let opts = r#""opts":{"rooms":["r"],"except":["s"],"flags":{}}"#;
    let command = |command| Message::Command {
        to: to(),
        command,
        confirm: None,
    };
    let cases = [
        (
            command(Command::Join(vec!["x".into()])),
            4,
            format!(r#"{{{opts},"rooms":["x"]}}"#),
        ),
        (
            command(Command::Leave(vec!["x".into()])),
            5,
            format!(r#"{{{opts},"rooms":["x"]}}"#),
        ),
        (
            command(Command::Disconnect { close: true }),
            6,
            format!(r#"{{{opts},"close":true}}"#),
        ),
        (
            Message::AskAbout {
                id: id(),
                to: to(),
                what: What::Sockets,
            },
            7,
            format!(r#"{{{opts},"requestId":"i"}}"#),
        ),
        (
            Message::Tell {
                event: event(r#"["ev",1]"#),
                answer: None,
            },
            9,
            r#"{"packet":["ev",1]}"#.to_owned(),
        ),
        (
            Message::Clients { id: id(), count: 2 },
            11,
            r#"{"requestId":"i","clientCount":2}"#.to_owned(),
        ),
        (
            Message::Known {
                id: id(),
                known: Known::Sockets(Vec::new()),
            },
            8,
            r#"{"requestId":"i","sockets":[]}"#.to_owned(),
        ),
        (
            Message::Heard {
                id: id(),
                args: Some(args("[5]")),
            },
            10,
            r#"{"packet":5,"requestId":"i"}"#.to_owned(),
        ),
    ];
    for (message, kind, data) in cases {
        let expected = format!(r#"{{"type":{kind},"data":{data},"uid":"u","nsp":"/"}}"#);
        assert_eq!(text(&message), expected);
    }
}

/// Everything that one of our servers can say to another comes back as it was.
#[test]
fn messages_come_back() {
    let id = || "i".into();
    let timeout = Some(Duration::from_millis(250));
    let (wish, what) = (
        Wish {
            id: id(),
            even_if_nothing: true,
        },
        |what| Message::AskAbout {
            id: id(),
            to: to(),
            what,
        },
    );
    let known = |known| Message::Known { id: id(), known };
    let messages = [
        Message::Broadcast {
            to: to(),
            broadcast: Broadcast::new(bytes()).volatile(true),
        },
        Message::AskAcks {
            id: id(),
            to: to(),
            event: bytes(),
            timeout,
        },
        Message::Tell {
            event: bytes(),
            answer: Some(wish),
        },
        what(What::Sockets),
        what(What::Count),
        what(What::Rooms),
        known(Known::Count(3)),
        known(Known::Rooms(vec!["a".into()])),
        Message::Evict {
            socket: SocketId::from("s"),
            fence: "f".into(),
        },
        Message::Heard {
            id: id(),
            args: None,
        },
        Message::Heard {
            id: id(),
            args: Some(args("[1,2]")),
        },
        Message::Acked {
            id: id(),
            socket: SocketId::from("s"),
            args: args("[]"),
        },
    ];
    for message in messages {
        for written in [
            write(&message).into_json("u", "/n").unwrap(),
            write(&message).into_msgpack("u", "/n").unwrap(),
        ] {
            let envelope = read(&written, &some()).unwrap();
            assert_eq!(envelope.from.as_deref(), Some("u"));
            assert_eq!(envelope.namespace.as_deref(), Some("/n"));
            assert_eq!(format!("{:?}", envelope.message), format!("{message:?}"));
        }
    }
}

#[test]
fn bytes_make_msgpack_of_a_message() {
    let message = Message::Broadcast {
        to: to(),
        broadcast: Broadcast::new(bytes()),
    };
    let written = write(&message).into_json("u", "/").unwrap();
    assert_eq!(written[0], 0x84);
    assert!(written.windows(3).any(|part| part == [0xc4, 1, 7]));
    match read(&written, &some()).unwrap().message {
        Message::Broadcast { broadcast, .. } => {
            assert_eq!(broadcast.data.json(), bytes().json());
            assert_eq!(broadcast.data.attachments(), bytes().attachments());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn garbage_is_told_what_it_lacks() {
    let cases = [
        (r#"{"type":3,"data":{}}"#, "type 3 lacks `opts`"),
        (r#"{"type":3,"data":{"opts":{}}}"#, "type 3 lacks `packet`"),
        (r#"{"type":7}"#, "type 7 lacks `requestId`"),
        (r#"{"type":13}"#, "unknown type 13"),
        (r#"{"data":{}}"#, "does not have the expected form"),
        (r#"{"type":9,"data":{"packet":[]}}"#, "name is neither"),
    ];
    for (text, expected) in cases {
        let error = read(text.as_bytes(), &some()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &some());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(kind in 0u64..14, field in 0usize..8, value in "[\\[{\"0-9a-z,:\\]}]{0,12}") {
        let fields = ["packet", "opts", "rooms", "close", "requestId", "sockets", "clientCount", "args"];
        let text = format!(
            r#"{{"type":{kind},"data":{{"requestId":"i","opts":{{}},"packet":["a"],"{}":{value}}},"uid":"u","nsp":"/"}}"#,
            fields[field],
        );
        let _ = read(text.as_bytes(), &some());
    }
}
