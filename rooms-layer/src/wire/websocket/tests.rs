use proptest::prelude::*;

use super::*;
use crate::wire::Limits;

/// What a client sent, with its payload on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

impl From<Incoming<'_>> for Seen {
    fn from(incoming: Incoming<'_>) -> Self {
        match incoming {
            Incoming::Text(text) => Self::Text(text.into()),
            Incoming::Binary(bytes) => Self::Binary(bytes.into()),
            Incoming::Ping(bytes) => Self::Ping(bytes.into()),
            Incoming::Pong(bytes) => Self::Pong(bytes.into()),
            Incoming::Close { code, reason } => Self::Close(code, reason.into()),
        }
    }
}

type Outcome = (Vec<Seen>, Option<WebSocketError>);

/// Feeds `bytes` in pieces and collects what comes out, up to the first error.
fn decode(bytes: &[u8], piece: usize, limits: &Limits) -> Outcome {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            match decoder.decode(rest, limits) {
                Ok((consumed, None)) => {
                    assert_eq!(
                        consumed,
                        rest.len(),
                        "without a message, all input is taken"
                    );
                    break;
                }
                Ok((consumed, Some(incoming))) => {
                    seen.push(incoming.into());
                    rest = &mut rest[consumed..];
                }
                Err(error) => return (seen, Some(error)),
            }
        }
    }
    (seen, None)
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame: the first byte of the header as given, then the length, a mask and the masked payload.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let server = header(Opcode::Text, payload.len());
    let mut frame = server.as_ref().to_vec();
    frame[0] = first;
    frame[1] |= 0x80;
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// Checks that the frames have the same outcome in one piece, byte by byte and in between.
fn check(frames: &[Vec<u8>], seen: &[Seen], error: Option<WebSocketError>) {
    let bytes = frames.concat();
    let expected = (seen.to_vec(), error);
    for piece in [usize::MAX, 1, 3, 7] {
        let piece = piece.min(bytes.len().max(1));
        assert_eq!(
            decode(&bytes, piece, &Limits::default()),
            expected,
            "in pieces of {piece}: {bytes:x?}"
        );
    }
}

fn text(text: &str) -> Seen {
    Seen::Text(text.into())
}

#[test]
fn the_decoder_of_an_idle_connection_is_small() {
    assert!(size_of::<Decoder>() <= 32);
}

#[test]
fn reads_whole_messages() {
    check(&[], &[], None);
    check(&[frame(0x81, b"")], &[text("")], None);
    check(&[frame(0x81, b"Hello")], &[text("Hello")], None);
    check(&[frame(0x82, b"")], &[Seen::Binary(vec![])], None);
    for length in [1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let payload = vec![b'x'; length];
        check(
            &[frame(0x81, &payload), frame(0x82, &payload)],
            &[
                text(std::str::from_utf8(&payload).unwrap()),
                Seen::Binary(payload.clone()),
            ],
            None,
        );
    }
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 6455, section 5.7.
    check(
        &[b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec()],
        &[text("Hello")],
        None,
    );
    check(
        &[b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".to_vec()],
        &[Seen::Ping(b"Hello".into())],
        None,
    );
}

#[test]
fn joins_fragments_and_lets_control_frames_in_between() {
    check(
        &[frame(0x01, b"Hel"), frame(0x80, b"lo")],
        &[text("Hello")],
        None,
    );
    check(
        &[frame(0x01, b""), frame(0x00, b""), frame(0x80, b"")],
        &[text("")],
        None,
    );
    check(
        &[
            frame(0x02, b"Hel"),
            frame(0x89, b"a"),
            frame(0x00, b"l"),
            frame(0x8A, b""),
            frame(0x80, b"o"),
            frame(0x81, b"next"),
        ],
        &[
            Seen::Ping(b"a".into()),
            Seen::Pong(vec![]),
            Seen::Binary(b"Hello".into()),
            text("next"),
        ],
        None,
    );
    // A close frame inside a message ends the connection; the message is lost.
    check(
        &[frame(0x01, b"Hel"), frame(0x88, b"")],
        &[Seen::Close(None, "".into())],
        None,
    );
}

#[test]
fn a_character_may_be_split_over_fragments() {
    let bytes = "κόσμε 💙".as_bytes();
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        check(
            &[frame(0x01, front), frame(0x80, back)],
            &[text("κόσμε 💙")],
            None,
        );
    }
}

#[test]
fn refuses_what_the_rfc_forbids() {
    use WebSocketError::*;
    let header = |bytes: &[u8]| bytes.to_vec();
    for (frames, error) in [
        (vec![header(b"\x81\x05Hello")], Unmasked),
        (vec![frame(0xC1, b"")], ReservedBits),
        (vec![frame(0xA1, b"")], ReservedBits),
        (vec![frame(0x91, b"")], ReservedBits),
        (vec![frame(0x83, b"")], ReservedOpcode(0x3)),
        (vec![frame(0x87, b"")], ReservedOpcode(0x7)),
        (vec![frame(0x8B, b"")], ReservedOpcode(0xB)),
        (vec![frame(0x8F, b"")], ReservedOpcode(0xF)),
        (vec![frame(0x09, b"")], FragmentedControl),
        (vec![frame(0x08, b"")], FragmentedControl),
        (vec![frame(0x89, &[0; 126])], ControlTooLong),
        (vec![frame(0x88, &[0; 70_000])], ControlTooLong),
        (vec![frame(0x80, b"")], UnexpectedContinuation),
        (vec![frame(0x00, b"")], UnexpectedContinuation),
        (
            vec![frame(0x01, b""), frame(0x81, b"")],
            ExpectedContinuation,
        ),
        (
            vec![frame(0x02, b"a"), frame(0x00, b"b"), frame(0x02, b"")],
            ExpectedContinuation,
        ),
        (vec![header(b"\x82\xff\x80\0\0\0\0\0\0\0")], InvalidLength),
        (
            vec![header(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff")],
            TooLong { limit: 1_000_000 },
        ),
        (
            vec![header(b"\x01\xff\0\0\0\0\0\x0f\x42\x41")],
            TooLong { limit: 1_000_000 },
        ),
        (vec![frame(0x81, b"ab\xff")], InvalidUtf8),
        (vec![frame(0x81, b"ab\xce")], InvalidUtf8),
        (vec![frame(0x01, b"ab\xce"), frame(0x80, b"")], InvalidUtf8),
        (vec![frame(0x01, b"ab\xce"), frame(0x80, b"A")], InvalidUtf8),
        (vec![frame(0x88, b"\x03")], TruncatedCloseCode),
        (vec![frame(0x88, b"\x03\xe8\xff")], InvalidUtf8),
    ] {
        check(&frames, &[], Some(error));
    }
}

#[test]
fn close_codes() {
    for code in [
        1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999,
    ] {
        let payload = [&u16::to_be_bytes(code)[..], b"bye"].concat();
        check(
            &[frame(0x88, &payload)],
            &[Seen::Close(Some(code), "bye".into())],
            None,
        );
    }
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        let error = WebSocketError::InvalidCloseCode(code);
        check(&[frame(0x88, &code.to_be_bytes())], &[], Some(error));
    }
}

#[test]
fn errors_tell_their_close_code() {
    for (error, code) in [
        (WebSocketError::Unmasked, 1002),
        (WebSocketError::InvalidCloseCode(1005), 1002),
        (WebSocketError::InvalidUtf8, 1007),
        (WebSocketError::TooManyFragments { limit: 1 }, 1008),
        (WebSocketError::TooLong { limit: 1 }, 1009),
    ] {
        assert_eq!(error.close_code(), code, "{error}");
    }
}

#[test]
fn a_bad_byte_fails_before_its_frame_is_whole() {
    let mut frame = frame(0x81, b"ab\xff and much more");
    frame.truncate(6 + 3);
    check(&[frame], &[], Some(WebSocketError::InvalidUtf8));
}

#[test]
fn lengths_need_not_be_minimal() {
    let mut frame = b"\x81\xff\0\0\0\0\0\0\0\x02\0\0\0\0hi".to_vec();
    check(&[frame.clone()], &[text("hi")], None);
    frame.splice(1..10, [0xfe, 0, 2]);
    check(&[frame], &[text("hi")], None);
}

#[test]
fn ceilings_count_to_the_last_byte_and_frame() {
    let limits = Limits {
        max_payload: 5,
        max_fragments: 3,
        ..Limits::default()
    };
    let too_long = Some(WebSocketError::TooLong { limit: 5 });
    let too_many = Some(WebSocketError::TooManyFragments { limit: 3 });
    for (frames, outcome) in [
        (vec![frame(0x81, b"12345")], (vec![text("12345")], None)),
        (vec![frame(0x81, b"123456")], (vec![], too_long.clone())),
        (
            vec![frame(0x01, b"123"), frame(0x80, b"45")],
            (vec![text("12345")], None),
        ),
        (
            vec![frame(0x01, b"123"), frame(0x80, b"456")],
            (vec![], too_long.clone()),
        ),
        // Half a character counts too.
        (
            vec![frame(0x01, b"1234\xce"), frame(0x80, b"\xba")],
            (vec![], too_long),
        ),
        (
            vec![frame(0x01, b"1"), frame(0, b""), frame(0x80, b"")],
            (vec![text("1")], None),
        ),
        (
            vec![
                frame(0x01, b"1"),
                frame(0, b""),
                frame(0, b""),
                frame(0, b""),
            ],
            (vec![], too_many),
        ),
        // Control frames are not bound by the message's ceiling.
        (
            vec![frame(0x89, b"123456")],
            (vec![Seen::Ping(b"123456".into())], None),
        ),
    ] {
        for piece in [1, 100] {
            assert_eq!(decode(&frames.concat(), piece, &limits), outcome);
        }
    }
}

#[test]
fn declared_lengths_take_no_memory() {
    let mut decoder = Decoder::new();
    let mut header = *b"\x82\xff\0\0\0\0\0\x0f\x42\x40\0\0\0\0";
    decoder.decode(&mut header, &Limits::default()).unwrap();
    assert!(
        decoder
            .decode(&mut [0; 3], &Limits::default())
            .unwrap()
            .1
            .is_none()
    );
    assert!(decoder.held_bytes() < 256);
}

#[test]
fn a_million_empty_fragments_end_at_the_ceiling() {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    decoder.decode(&mut frame(0x02, b""), &limits).unwrap();
    let continuation = frame(0x00, b"");
    let accepted = (0..1_000_000)
        .take_while(|_| decoder.decode(&mut continuation.clone(), &limits).is_ok())
        .count();
    assert_eq!(accepted + 1, limits.max_fragments);
}

#[test]
fn memory_is_given_back_once_a_message_was_taken() {
    let limits = Limits::default();
    for frames in [
        vec![frame(0x01, b"Hel"), frame(0x80, b"lo")],
        vec![
            frame(0x01, b"Hel"),
            frame(0x89, b"ping"),
            frame(0x80, b"lo"),
        ],
        vec![frame(0x89, b"ping")],
        vec![frame(0x82, &[0; 1000])],
    ] {
        let mut decoder = Decoder::new();
        for mut byte in frames.concat() {
            let (_, incoming) = decoder
                .decode(std::slice::from_mut(&mut byte), &limits)
                .unwrap();
            if incoming.is_some() {
                decoder.decode(&mut [], &limits).unwrap();
            }
        }
        assert_eq!(decoder.held_bytes(), 0);
    }
}

#[test]
fn whole_frames_are_yielded_where_they_lie() {
    let mut input = frame(0x82, b"payload");
    let range = input.as_ptr_range();
    let mut decoder = Decoder::new();
    let (_, incoming) = decoder.decode(&mut input, &Limits::default()).unwrap();
    let Some(Incoming::Binary(payload)) = incoming else {
        panic!("{incoming:?}")
    };
    assert!(range.contains(&payload.as_ptr()));
}

#[test]
fn server_frames() {
    for (written, expected) in [
        (text_frame("Hello"), &b"\x81\x05Hello"[..]),
        (binary_frame(b""), b"\x82\x00"),
        (ping_frame(b"a"), b"\x89\x01a"),
        (pong_frame(b"a"), b"\x8a\x01a"),
        (close_frame(None), b"\x88\x00"),
        (
            close_frame(Some((1009, "too long"))),
            b"\x88\x0a\x03\xf1too long",
        ),
    ] {
        assert_eq!(written, expected);
    }
    for (length, expected) in [
        (0, &b"\x81\x00"[..]),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\0\0\0\0\0\x01\0\0"),
    ] {
        assert_eq!(header(Opcode::Text, length).as_ref(), expected);
    }
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let reason = "é".repeat(100);
    let frame = close_frame(Some((1000, &reason)));
    assert_eq!(frame.len(), 2 + 2 + 122);
    assert_eq!(std::str::from_utf8(&frame[4..]), Ok(&reason[..122]));
}

#[test]
fn takes_own_frames_apart() {
    let long = vec![7; 70_000];
    let frames = [
        text_frame("one"),
        ping_frame(b"?"),
        binary_frame(&long),
        close_frame(None),
        text_frame(""),
    ]
    .concat();
    let messages: Vec<_> = Unframe::new(&frames).collect();
    assert_eq!(
        messages,
        [
            Unframed {
                is_text: true,
                payload: b"one"
            },
            Unframed {
                is_text: false,
                payload: &long
            },
            Unframed {
                is_text: true,
                payload: b""
            },
        ]
    );
    for end in 0..5 {
        assert_eq!(Unframe::new(&frames[..end]).next(), None);
    }
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(vec![
        0x81u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x83, 0xC1, 0x09,
    ]);
    let payload = prop_oneof![
        "\\PC{0,6}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        (100usize..140).prop_map(|length| vec![b'x'; length]),
    ];
    (first, payload).prop_map(|(first, payload)| frame(first, &payload))
}

proptest! {
    #[test]
    fn pieces_do_not_matter(frames in prop::collection::vec(any_frame(), 0..8), piece in 1usize..20) {
        let bytes = frames.concat();
        let limits = Limits { max_payload: 130, max_fragments: 4, ..Limits::default() };
        let whole = decode(&bytes, bytes.len().max(1), &limits);
        prop_assert_eq!(decode(&bytes, piece, &limits), whole.clone());
        prop_assert_eq!(decode(&bytes, 1, &limits), whole);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..20) {
        let limits = Limits::default();
        prop_assert_eq!(decode(&bytes, piece, &limits), decode(&bytes, 1, &limits));
    }

    #[test]
    fn fragments_join_to_the_message(content in "\\PC{0,40}", cuts in prop::collection::vec(0usize..40, 0..5)) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(content.len())).collect();
        cuts.sort_unstable();
        let mut frames = Vec::new();
        let mut start = 0;
        for cut in cuts {
            frames.push(frame(if frames.is_empty() { 0x01 } else { 0x00 }, &content.as_bytes()[start..cut]));
            start = cut;
        }
        frames.push(frame(if frames.is_empty() { 0x81 } else { 0x80 }, &content.as_bytes()[start..]));
        check(&frames, &[text(&content)], None);
    }
}
