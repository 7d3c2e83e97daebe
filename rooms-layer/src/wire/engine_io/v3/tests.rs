use super::*;
use crate::wire::websocket::{binary_frame, text_frame};
use proptest::prelude::*;

#[test]
fn binary_packets_carry_their_type() {
    use EngineIoError::{Base64, Empty, UnknownType};
    for (text, expected) in [
        ("b4AQIDBA==", Ok(Packet::Binary(vec![1, 2, 3, 4]))),
        ("b4AQIDBA", Ok(Packet::Binary(vec![1, 2, 3, 4]))),
        ("b4", Ok(Packet::Binary(vec![]))),
        ("b", Err(UnknownType)),
        ("bAQIDBA==", Err(UnknownType)),
        ("b2", Err(UnknownType)),
        ("b4AQ ID", Err(Base64)),
        ("42[\"a\"]", Ok(Packet::Message("2[\"a\"]"))),
        ("2probe", Ok(Packet::Ping("probe"))),
        ("", Err(Empty)),
        ("7", Err(UnknownType)),
    ] {
        assert_eq!(decode(text), expected, "{text:?}");
    }
    for (packet, expected) in [
        (&[4, 1, 2][..], Ok(&[1, 2][..])),
        (&[4], Ok(&[])),
        (&[], Err(Empty)),
        (&[2], Err(UnknownType)),
        (b"4\x01", Err(UnknownType)),
    ] {
        assert_eq!(decode_binary(packet), expected, "{packet:?}");
    }
}

#[test]
fn the_pong_is_what_its_name_says() {
    assert_eq!(PONG_FRAME, text_frame("3"));
}

#[test]
fn attachments_are_framed_with_their_type() {
    let mut packet = text_frame("452-[\"x\"]").to_vec();
    packet.extend_from_slice(&binary_frame(&[1, 2]));
    packet.extend_from_slice(&binary_frame(&[7; 125]));
    let mut expected = text_frame("452-[\"x\"]").to_vec();
    expected.extend_from_slice(&binary_frame(&[4, 1, 2]));
    // The one byte more that a longer header takes.
    expected.extend_from_slice(&binary_frame(&[&[4][..], &[7; 125]].concat()));
    assert_eq!(frames(&packet.into()), expected);
}

#[test]
fn what_has_no_attachments_is_not_copied() {
    let packet = text_frame("42[\"x\"]");
    assert_eq!(frames(&packet).as_ptr(), packet.as_ptr());
}

proptest! {
    #[test]
    fn any_message_is_read_or_refused(text in ".{0,20}|b4?.{0,20}", data: Vec<u8>) {
        let _ = decode(&text);
        let _ = decode_binary(&data);
    }

    #[test]
    fn base64_round_trip(data: Vec<u8>) {
        let mut text = String::new();
        push_base64(&mut text, &[&[MESSAGE][..], &data].concat());
        prop_assert_eq!(decode(&text), Ok(Packet::Binary(data)));
    }
}
