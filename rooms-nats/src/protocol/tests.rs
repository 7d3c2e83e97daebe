mod versions;

use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use rooms_layer::{
    rooms::adapter::{Question, SocketInfo},
    wire::{
        Args, DataWriter, Value,
        msgpack::{ReadError, Writer},
    },
};
use serde_json::value::RawValue;

const HEADER: Header<'_> = Header {
    from: "a",
    number: 7,
};

fn event() -> Data {
    let mut event = DataWriter::event("photo");
    event.push("sea").expect("JSON");
    event.push(&Bytes::from_static(&[0xff])).expect("JSON");
    event.finish()
}

fn body_of(bytes: &[u8]) -> Body {
    let message = read(bytes).expect("a message");
    assert_eq!((&*message.from, message.number), ("a", 7));
    message.body
}

fn to() -> Selection {
    Selection::of(["x", "y"]).except(["z"])
}

#[test]
fn messages_are_these_bytes() {
    let data = {
        let mut event = DataWriter::event("e");
        event.push(&1).expect("JSON");
        event.finish()
    };
    let everybody = Selection::everybody();
    let leave = Command::Leave(vec!["r".into()]);
    let cases: [(Bytes, &[u8]); 7] = [
        (plain(HEADER, Plain::Hello), b"\x94\x01\x00\xa1a\x07"),
        (plain(HEADER, Plain::Alive), b"\x94\x01\x01\xa1a\x07"),
        (plain(HEADER, Plain::Bye), b"\x94\x01\x02\xa1a\x07"),
        (
            broadcast(HEADER, "/", &everybody, &Broadcast::new(data.clone())).expect("short"),
            b"\x99\x01\x03\xa1a\x07\xa1/\xc0\x90\xc2\x92\xa1e\x01",
        ),
        (
            command(HEADER, "/", &to(), &leave).expect("known"),
            b"\x99\x01\x04\xa1a\x07\xa1/\x92\xa1x\xa1y\x91\xa1z\x01\x91\xa1r",
        ),
        (
            ask(
                HEADER,
                5,
                "/",
                &everybody,
                Question::Count,
                Duration::from_secs(1),
            )
            .expect("known")
            .expect("short"),
            b"\x9b\x01\x06\xa1a\x07\x05\xa1/\xc0\x90\x02\xcd\x03\xe8\xc0",
        ),
        (
            evict(HEADER, "/", "s", 3),
            b"\x97\x01\x08\xa1a\x07\xa1/\xa1s\x03",
        ),
    ];
    for (written, expected) in cases {
        assert_eq!(written, expected, "{:x?}", &*written);
        read(&written).expect("it can be read");
    }
}

#[test]
fn broadcasts_arrive_as_they_were() {
    for (to, volatile) in [
        (Selection::everybody(), false),
        (to(), true),
        (Selection::of(Vec::<&str>::new()), false),
    ] {
        let sent = Broadcast::new(event()).volatile(volatile);
        let bytes = broadcast(HEADER, "/chat", &to, &sent).expect("short");
        let Body::Broadcast {
            namespace,
            to: read_to,
            broadcast: read,
        } = body_of(&bytes)
        else {
            panic!("another message")
        };
        assert_eq!(
            (&*namespace, read_to, read.volatile),
            ("/chat", to, volatile)
        );
        assert_eq!(read.data.json(), event().json());
        assert_eq!(read.data.attachments(), event().attachments());
    }
}

#[test]
fn logged_broadcasts_arrive_as_they_were() {
    for is_local in [false, true] {
        let sent = Broadcast::new(event()).local(is_local);
        let bytes = logged(HEADER, "/", &to(), &sent).expect("short");
        let Body::Logged {
            namespace,
            to: read_to,
            local,
            event: read,
        } = body_of(&bytes)
        else {
            panic!("another message")
        };
        assert_eq!((&*namespace, read_to, local), ("/", to(), is_local));
        assert_eq!(read.json(), event().json());
    }
}

#[test]
fn commands_arrive_as_they_were() {
    for sent in [
        Command::Join(vec!["a".into(), "b".into()]),
        Command::Leave(vec![]),
        Command::Disconnect { close: true },
        Command::Disconnect { close: false },
    ] {
        let bytes = command(HEADER, "/", &to(), &sent).expect("known");
        match body_of(&bytes) {
            Body::Command { command, .. } => assert_eq!(command, sent),
            other => panic!("another message: {other:?}"),
        }
    }
}

#[test]
fn questions_arrive_as_they_were() {
    let event = event();
    for question in [
        Question::Acks(&event),
        Question::Sockets,
        Question::Count,
        Question::Rooms,
        Question::Servers(&event),
    ] {
        let time = Duration::from_millis(1_500);
        let bytes = ask(HEADER, 9, "/", &to(), question, time);
        let bytes = bytes.expect("known").expect("short");
        let Body::Ask(ask) = body_of(&bytes) else {
            panic!("another message")
        };
        assert_eq!(
            (ask.id, &*ask.namespace, &ask.to, ask.time),
            (9, "/", &to(), time)
        );
        let (sent, read) = (format!("{question:?}"), format!("{:?}", ask.what));
        assert_eq!(sent, read);
    }
}

#[test]
fn answers_arrive_as_they_were() {
    let args = Args::from_values(&[Value::from("yes"), Value::Binary(vec![1].into())]);
    let args = args.expect("arguments");
    let mut socket = SocketInfo::new("s".into(), vec!["a".into(), "s".into()]);
    let data = RawValue::from_string(r#"{"name":"Ann"}"#.to_owned()).expect("JSON");
    socket.data = Some(data.into());
    let sent = [
        Answer::Acked("s".into(), args.clone()),
        Answer::Unanswered(3),
        Answer::Found(socket),
        Answer::Counted(4),
        Answer::Named(vec!["a".into()]),
        Answer::Heard(args),
        Answer::Missing(2),
    ];
    let mut written = Writer::new();
    for answer in &sent {
        write_answer(&mut written, answer).expect("short");
    }
    let part = Part {
        last: true,
        asked: 5,
        count: 7,
        written: written.into_bytes(),
    };
    let Body::Answers {
        id,
        last,
        asked,
        answers,
    } = body_of(&answers(HEADER, 9, &part))
    else {
        panic!("another message")
    };
    assert_eq!((id, last, asked), (9, true, 5));
    assert_eq!(format!("{answers:?}"), format!("{sent:?}"));
    let Answer::Acked(_, args) = &answers[0] else {
        panic!("another answer")
    };
    assert_eq!(args.get::<Value>(0).expect("a value"), "yes".into());
    assert_eq!(
        args.get::<Value>(1).expect("a value"),
        Value::Binary(vec![1].into())
    );
}

#[test]
fn what_is_unknown_is_passed_over_or_refused() {
    // A field more, and an answer of a kind that is to come.
    read(b"\x95\x01\x01\xa1a\x07\xa3new").expect("a longer message");
    let answers = b"\x98\x01\x07\xa1a\x07\x05\xc3\x00\x92\x92\x63\xa1x\x92\x03\x02";
    match body_of(answers) {
        Body::Answers { answers, .. } => assert_eq!(format!("{answers:?}"), "[Counted(2)]"),
        other => panic!("another message: {other:?}"),
    }

    let long = [&b"\x94\x01\x00\xd9\x41"[..], &[b'a'; 65], b"\x00"].concat();
    let cases: [(&[u8], &str); 8] = [
        (b"", "Msgpack(Truncated)"),
        (b"\x93\x01\x00\xa1a", "Fields"),
        (b"\x94\x02\x00\xa1a\x07", "Version(2)"),
        (b"\x94\x01\x63\xa1a\x07", "Kind(99)"),
        (b"\x94\x01\x00\xa0\x07", "Sender"),
        (&long, "Sender"),
        (b"\x94\x01\x03\xa1a\x07", "Fields"),
        (b"{\"type\":1}", "Msgpack(Unexpected"),
    ];
    for (bytes, expected) in cases {
        let error = format!("{:?}", read(bytes).expect_err("no message"));
        assert!(error.starts_with(expected), "{error}, not {expected}");
    }
}

#[test]
fn declared_lengths_reserve_nothing() {
    for bytes in [
        &b"\x98\x01\x07\xa1a\x07\x05\xc3\x00\xdd\xff\xff\xff\xff"[..],
        b"\x99\x01\x03\xa1a\x07\xa1/\xdd\xff\xff\xff\xff",
        b"\x99\x01\x03\xa1a\x07\xdb\xff\xff\xff\xff",
    ] {
        let error = read(bytes).expect_err("it is not there");
        assert!(
            matches!(error, BadMessage::Msgpack(ReadError::Truncated)),
            "{error:?}"
        );
    }
}

#[test]
fn nesting_ends_no_stack() {
    let deep = vec![0x91; 200_000];
    let bytes = [&b"\x96\x01\x05\xa1a\x07\xa1/\x92\xa1e"[..], &deep, b"\xc0"].concat();
    // Whether it is read or refused does not matter here.
    let _ = read(&bytes);
}

proptest! {
    #[test]
    fn nothing_that_comes_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn nothing_that_comes_behind_a_header_panics(
        fields in 0x94u8..0x9f,
        kind in 0u8..11,
        rest in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let bytes = [&[fields, 1, kind, 0xa1, b'a', 7][..], &rest].concat();
        let _ = read(&bytes);
    }

    #[test]
    fn a_changed_byte_panics_nobody(at in 0usize..80, byte: u8) {
        let sent = Broadcast::new(event());
        let mut bytes = broadcast(HEADER, "/chat", &to(), &sent).expect("short").to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read(&bytes);
    }

    #[test]
    fn any_broadcast_arrives(
        namespace: String,
        rooms in proptest::option::of(proptest::collection::vec(any::<String>(), 0..4)),
        except in proptest::collection::vec(any::<String>(), 0..4),
        name: String,
        texts in proptest::collection::vec(any::<String>(), 0..4),
        binary: Vec<u8>,
    ) {
        let mut event = DataWriter::event(&name);
        for text in &texts {
            event.push(text).expect("JSON");
        }
        event.push(&Bytes::from(binary)).expect("JSON");
        let sent = event.finish();
        let mut to = Selection::everybody().except(except.iter().map(String::as_str));
        to.rooms = rooms.map(|rooms| rooms.iter().map(|room| room.as_str().into()).collect());
        let bytes = broadcast(HEADER, &namespace, &to, &Broadcast::new(sent.clone())).expect("short");
        match body_of(&bytes) {
            Body::Broadcast { namespace: read_namespace, to: read_to, broadcast } => {
                prop_assert_eq!(&*read_namespace, &namespace);
                prop_assert_eq!(read_to, to);
                prop_assert_eq!(broadcast.data.attachments(), sent.attachments());
                let values = |data: &Data| Args::from_data(data).expect("arguments").values().expect("values");
                prop_assert_eq!(values(&broadcast.data), values(&sent));
            }
            other => prop_assert!(false, "another message: {:?}", other),
        }
    }
}
