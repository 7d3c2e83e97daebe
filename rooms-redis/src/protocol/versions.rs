//! What servers of this version say, byte for byte: servers of other versions are in the same cluster while it is upgraded.

use super::{
    classic, cluster, limits,
    parts::Names,
    streams::{SavedSession, SavedStay, read_entry, read_session, write_entry, write_session},
};
use crate::message::{Known, Message, What, Wish};
use bytes::Bytes;
use rooms_layer::{
    rooms::{
        Selection,
        adapter::{Broadcast, Command, SocketInfo},
    },
    wire::{Args, Data, DataWriter, Limits},
};
use serde_json::value::RawValue;
use std::time::Duration;

const NOW: &str = include_str!("versions/written.txt");

fn some() -> Limits {
    limits(1_000_000)
}

fn event() -> Data {
    let mut event = DataWriter::event("news");
    event.push("sea").expect("JSON");
    event.finish()
}

/// An event that is not JSON alone.
fn photo() -> Data {
    let mut event = DataWriter::event("photo");
    event.push(&Bytes::from_static(&[0xff])).expect("JSON");
    event.finish()
}

fn to() -> Selection {
    Selection::of(["x", "y"]).except(["z"])
}

fn socket() -> SocketInfo {
    let mut socket = SocketInfo::new("s".into(), vec!["a".into(), "s".into()]);
    let json = |text: &str| Some(RawValue::from_string(text.to_owned()).expect("JSON").into());
    socket.data = json(r#"{"name":"Ann"}"#);
    socket.handshake = json(r#"{"url":"/"}"#);
    socket
}

/// What is said to all.
fn requests() -> Vec<(&'static str, Message)> {
    let id = || "i".into();
    let command = |command| Message::Command {
        to: to(),
        command,
        confirm: None,
    };
    let about = |what| Message::AskAbout {
        id: id(),
        to: to(),
        what,
    };
    let wish = Some(Wish {
        id: id(),
        even_if_nothing: true,
    });
    vec![
        ("join", command(Command::Join(vec!["r".into()]))),
        ("leave", command(Command::Leave(vec!["r".into()]))),
        ("disconnect", command(Command::Disconnect { close: true })),
        (
            "tell",
            Message::Tell {
                event: event(),
                answer: None,
            },
        ),
        (
            "tell bytes and wish",
            Message::Tell {
                event: photo(),
                answer: wish,
            },
        ),
        (
            "ask for acknowledgements",
            Message::AskAcks {
                id: id(),
                to: to(),
                event: photo(),
                timeout: Some(Duration::from_millis(1_500)),
            },
        ),
        ("ask for sockets", about(What::Sockets)),
        ("ask for a count", about(What::Count)),
        ("ask for rooms", about(What::Rooms)),
    ]
}

/// What is said to one.
fn answers() -> Vec<(&'static str, Message)> {
    let id = || "i".into();
    let args = Args::parse("[7,\"x\"]", Vec::new(), &Limits::default()).expect("arguments");
    let known = |known| Message::Known { id: id(), known };
    vec![
        ("clients", Message::Clients { id: id(), count: 3 }),
        (
            "acked",
            Message::Acked {
                id: id(),
                socket: "s".into(),
                args: args.clone(),
            },
        ),
        ("sockets", known(Known::Sockets(vec![socket()]))),
        ("count", known(Known::Count(4))),
        ("rooms", known(Known::Rooms(vec!["r".into()]))),
        (
            "heard",
            Message::Heard {
                id: id(),
                args: Some(args),
            },
        ),
        (
            "heard nothing",
            Message::Heard {
                id: id(),
                args: None,
            },
        ),
        ("done", Message::Done { id: id() }),
    ]
}

fn messages() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut push =
        |form: &str, name: &str, bytes: Vec<u8>| all.push((format!("{form}, {name}"), bytes));
    let everybody = Selection::everybody();
    let broadcasts = [
        ("broadcast", &everybody, Broadcast::new(event())),
        (
            "broadcast of bytes to rooms",
            &to(),
            Broadcast::new(photo()).volatile(true),
        ),
    ];
    for (name, to, broadcast) in &broadcasts {
        let bytes = classic::write_broadcast("u", "/", to, broadcast);
        push("classic", name, bytes.expect("short"));
        let written = || cluster::write_broadcast(to, broadcast);
        push(
            "sharded",
            name,
            written().into_json("u", "/").expect("short"),
        );
        for (form, is_local) in [("entry", false), ("entry for its server", true)] {
            let fields = write_entry("u", "/", written(), is_local).expect("short");
            push(form, name, as_text(&fields));
        }
    }
    for (name, message) in requests() {
        let bytes = classic::write_request(Some("u"), "/", &message);
        push("classic request", name, bytes.expect("short"));
    }
    for (name, message) in answers() {
        push(
            "classic response",
            name,
            classic::write_response(&message).expect("short"),
        );
    }
    let evict = (
        "evict",
        Message::Evict {
            socket: "s".into(),
            fence: "u:f".into(),
        },
    );
    for (name, message) in requests().into_iter().chain(answers()).chain([evict]) {
        let written = || cluster::write(&message);
        push(
            "sharded",
            name,
            written().into_json("u", "/").expect("short"),
        );
        push(
            "streams",
            name,
            written().into_msgpack("u", "/").expect("short"),
        );
        if let Message::Command { .. } = message {
            let fields = write_entry("u", "/", written(), false).expect("short");
            push("entry", name, as_text(&fields));
        }
    }
    let session = SavedSession {
        sid: "s".into(),
        pid: "p".into(),
        rooms: Names(vec!["s".into(), "r".into()]),
        data: None,
        nsp: Some("/".into()),
        epoch: Some("e".into()),
        known_since: Some("1-0".into()),
        since: [("r".into(), "2-0".into())].into(),
        left: vec![SavedStay {
            room: "q".into(),
            from: "1-0".into(),
            to: "3-1".into(),
        }],
    };
    push(
        "session",
        "of a socket",
        write_session(&session).into_bytes(),
    );
    all
}

/// The fields of an entry as one line: names and values in turn.
fn as_text(fields: &[(&'static str, String)]) -> Vec<u8> {
    let fields = fields.iter().flat_map(|(name, value)| [*name, value]);
    fields.collect::<Vec<_>>().join("\t").into_bytes()
}

/// The messages of a file: a name, a colon, and bytes as Rust writes them.
fn recorded(file: &'static str) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let lines = file
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let (name, escaped) = line.split_once(": ").expect("a name and bytes");
        (name, unescaped(escaped))
    })
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'\\' => match rest.next().expect("an escape") {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'x' => {
                    let digits = [rest.next(), rest.next()].map(|digit| digit.expect("a digit"));
                    let digits = str::from_utf8(&digits).expect("ASCII");
                    u8::from_str_radix(digits, 16).expect("hexadecimal")
                }
                other => other,
            },
            byte => byte,
        };
        bytes.push(byte);
    }
    bytes
}

/// Whoever changes what is written has servers of two versions in one cluster for a while: those before must understand it. Then the
/// new form is recorded, and the old one goes to a file of what is read and not written any more.
#[test]
fn what_is_written_is_what_was_recorded() {
    let mut written = String::new();
    for (name, bytes) in messages() {
        let escaped = bytes.escape_ascii().to_string().replace("\\\"", "\"");
        written += &format!("{name}: {escaped}\n");
    }
    let recorded: String = NOW
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(written, recorded, "this is written now:\n{written}");
}

#[test]
fn what_was_recorded_means_what_it_meant() {
    let mut meanings = String::new();
    for (name, bytes) in recorded(NOW) {
        let form = name.split([' ', ',']).next().expect("a form");
        let meaning = match form {
            "classic" if name.starts_with("classic request") => {
                format!("{:?}", classic::read_request(&bytes, &some()))
            }
            "classic" if name.starts_with("classic response") => {
                format!("{:?}", classic::read_response(&bytes, &some()))
            }
            "classic" => format!("{:?}", classic::read_broadcast(&bytes, &some())),
            "entry" => {
                let fields: Vec<_> = bytes.split(|byte| *byte == b'\t').collect();
                let fields = fields.chunks_exact(2).map(|pair| (pair[0], pair[1]));
                format!("{:?}", read_entry(fields, &some()))
            }
            "session" => format!("{:?}", read_session(&bytes, &some())),
            _ => format!("{:?}", cluster::read(&bytes, &some())),
        };
        let meaning = meaning
            .strip_prefix("Ok(")
            .and_then(|meaning| meaning.strip_suffix(')'));
        let meaning = meaning.unwrap_or_else(|| panic!("{name} can't be read"));
        meanings += &format!("{name}: {meaning}\n");
    }
    insta::assert_snapshot!(meanings);
}
