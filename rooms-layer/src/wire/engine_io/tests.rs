use proptest::prelude::*;

use super::*;
use crate::wire::websocket::Unframe;

#[test]
fn reads_every_type() {
    for (text, expected) in [
        ("0{}", Ok(Packet::Open("{}"))),
        ("1", Ok(Packet::Close)),
        ("2", Ok(Packet::Ping(""))),
        ("2probe", Ok(Packet::Ping("probe"))),
        ("3", Ok(Packet::Pong(""))),
        ("3probe", Ok(Packet::Pong("probe"))),
        ("42[\"a\"]", Ok(Packet::Message("2[\"a\"]"))),
        ("4", Ok(Packet::Message(""))),
        ("5", Ok(Packet::Upgrade)),
        ("6", Ok(Packet::Noop)),
        ("", Err(EngineIoError::Empty)),
        ("7", Err(EngineIoError::UnknownType)),
        ("x", Err(EngineIoError::UnknownType)),
        ("é", Err(EngineIoError::UnknownType)),
        (" ", Err(EngineIoError::UnknownType)),
    ] {
        assert_eq!(Packet::decode(text), expected, "{text:?}");
    }
}

#[test]
fn reads_base64_as_leniently_as_node() {
    for (text, expected) in [
        ("bAQIDBA==", Some(&[1, 2, 3, 4][..])),
        ("bAQIDBA", Some(&[1, 2, 3, 4])),
        ("bAQIDBA=", Some(&[1, 2, 3, 4])),
        ("b", Some(&[])),
        ("b+/+/", Some(&[0xfb, 0xff, 0xbf])),
        ("b-_-_", Some(&[0xfb, 0xff, 0xbf])),
        ("b+_-/", Some(&[0xfb, 0xff, 0xbf])),
        // Bits that belong to no byte.
        ("bAR", Some(&[1])),
        ("bA", None),
        ("bAQ ID", None),
        ("bAQé", None),
        ("b====", None),
    ] {
        let expected = expected.map(|bytes| Packet::Binary(bytes.into()));
        assert_eq!(
            Packet::decode(text),
            expected.ok_or(EngineIoError::Base64),
            "{text:?}"
        );
    }
}

#[test]
fn the_open_packet_has_the_keys_in_the_order_of_node() {
    let open = OpenPacket {
        sid: "lv_VI97HAXpY6yYWAAAB",
        upgrades: &["websocket"],
        ping_interval: 25_000,
        ping_timeout: 20_000,
        max_payload: 1_000_000,
    };
    let text = concat!(
        r#"0{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":["websocket"],"#,
        r#""pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
    );
    assert_eq!(open.text(), text);
    assert_eq!(open.frame(), text_frame(text));
}

#[test]
fn the_framed_packets_are_what_their_names_say() {
    for (frame, packet) in [
        (&PING_FRAME, Packet::Ping("")),
        (&PROBE_PONG_FRAME, Packet::Pong("probe")),
        (&NOOP_FRAME, Packet::Noop),
        (&CLOSE_FRAME, Packet::Close),
    ] {
        let message = Unframe::new(frame).next().unwrap();
        let text = std::str::from_utf8(message.payload).unwrap();
        assert_eq!(Packet::decode(text), Ok(packet));
        assert_eq!(text_frame(text), frame);
    }
}

proptest! {
    #[test]
    fn base64_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        let mut text = String::new();
        push_base64(&mut text, &bytes);
        prop_assert_eq!(Packet::decode(&text), Ok(Packet::Binary(bytes)));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,20}|b.{0,20}") {
        let _ = Packet::decode(&text);
    }
}

proptest! {
    #[test]
    fn a_framed_message_is_read_back(text in "\\PC{0,200}") {
        let frame = message_frame(&text);
        let unframed: Vec<_> = Unframe::new(&frame).collect();
        prop_assert_eq!(unframed.len(), 1);
        prop_assert!(unframed[0].is_text);
        let packet = str::from_utf8(unframed[0].payload).unwrap();
        prop_assert_eq!(Packet::decode(packet), Ok(Packet::Message(&text)));
    }
}
