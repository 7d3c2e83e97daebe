//! What servers of this version say, byte for byte: servers of other versions are in the same cluster while it is upgraded.

use super::*;

const NOW: &str = include_str!("written.txt");

fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let (sent, everybody) = (Broadcast::new(event()), Selection::everybody());
    let command = |command| super::command(HEADER, "/chat", &to(), &command).expect("known");
    let ask = |question| {
        let time = Duration::from_millis(1_500);
        let asked = super::ask(HEADER, 5, "/", &to(), question, time);
        asked.expect("known").expect("short")
    };
    let rooms = || vec!["p".into(), "q".into()];
    let mut named = vec![
        ("hello", plain(HEADER, Plain::Hello)),
        ("alive", plain(HEADER, Plain::Alive)),
        ("bye", plain(HEADER, Plain::Bye)),
        (
            "broadcast",
            broadcast(HEADER, "/", &everybody, &sent).expect("short"),
        ),
        (
            "broadcast to rooms",
            broadcast(HEADER, "/chat", &to(), &sent.clone().volatile(true)).expect("short"),
        ),
        (
            "logged",
            logged(HEADER, "/", &everybody, &sent).expect("short"),
        ),
        (
            "logged for its server",
            logged(HEADER, "/chat", &to(), &sent.local(true)).expect("short"),
        ),
        ("join", command(Command::Join(rooms()))),
        ("leave", command(Command::Leave(rooms()))),
        ("disconnect", command(Command::Disconnect { close: true })),
        ("tell", tell(HEADER, "/", &event()).expect("short")),
        ("ask for acknowledgements", ask(Question::Acks(&event()))),
        ("ask for sockets", ask(Question::Sockets)),
        ("ask for a count", ask(Question::Count)),
        ("ask for rooms", ask(Question::Rooms)),
        ("ask servers", ask(Question::Servers(&event()))),
        ("evict", evict(HEADER, "/", "s", 300)),
    ];
    let mut socket = SocketInfo::new("s".into(), vec!["a".into(), "s".into()]);
    let json = |text: &str| Some(RawValue::from_string(text.to_owned()).expect("JSON").into());
    socket.data = json(r#"{"name":"Ann"}"#);
    socket.handshake = json("{}");
    let args = Args::parse("[7,\"x\"]", Vec::new(), &Limits::default()).expect("arguments");
    let mut written = Writer::new();
    let answers = [
        Answer::Acked("s".into(), args.clone()),
        Answer::Unanswered(3),
        Answer::Found(socket),
        Answer::Found(SocketInfo::new("t".into(), Vec::new())),
        Answer::Counted(4),
        Answer::Named(vec!["a".into()]),
        Answer::Heard(args),
        Answer::Missing(2),
    ];
    for answer in &answers {
        write_answer(&mut written, answer).expect("short");
    }
    let part = Part {
        last: true,
        asked: 4,
        count: 8,
        written: written.into_bytes(),
    };
    named.push(("answers", super::answers(HEADER, 5, &part)));
    named
        .into_iter()
        .map(|(name, bytes)| (name, bytes.to_vec()))
        .collect()
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
        let meaning = read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        meanings += &format!("{name}: {meaning:?}\n");
    }
    insta::assert_snapshot!(meanings);
}
