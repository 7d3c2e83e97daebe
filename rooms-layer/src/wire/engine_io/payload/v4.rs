//! The bodies of revision 4: packets in their text form, with a byte between them.

use crate::wire::{
    engine_io::push_base64,
    websocket::{Unframe, Unframed},
};

/// What stands between two packets. JSON never holds it unescaped.
const SEPARATOR: u8 = 0x1e;

/// Writes the packets of a body.
pub(super) fn text<'a>(messages: impl Iterator<Item = Unframed<'a>>) -> String {
    let mut body = String::new();
    for message in messages {
        push_message(&mut body, message);
    }
    body
}

/// Appends packets of ours, framed for WebSocket, to a body. Control frames of WebSocket are passed over.
///
/// # Panics
///
/// Panics if a text frame is not UTF-8, which those of this crate are.
pub fn push_packets(body: &mut String, frames: &[u8]) {
    for message in Unframe::new(frames) {
        push_message(body, message);
    }
}

fn push_message(body: &mut String, message: Unframed<'_>) {
    if message.is_text {
        let packet = str::from_utf8(message.payload).expect("our text frames are text");
        push_packet(body, packet);
    } else {
        separate(body);
        push_base64(body, message.payload);
    }
}

/// Appends a packet in its text form to a body.
pub fn push_packet(body: &mut String, packet: &str) {
    separate(body);
    body.push_str(packet);
}

fn separate(body: &mut String) {
    if !body.is_empty() {
        body.push(char::from(SEPARATOR));
    }
}

/// Splits the first packet off a body. What follows is `None` where it was the last: a body that ends with a separator
/// ends with an empty packet.
pub fn split_packet(body: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(SEPARATOR, body) {
        Some(end) => (&body[..end], Some(&body[end + 1..])),
        None => (body, None),
    }
}

/// Returns how many packets are in a body, the empty ones counted.
pub fn packet_count(body: &[u8]) -> usize {
    memchr::memchr_iter(SEPARATOR, body).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{
        engine_io::{NOOP_FRAME, Packet},
        websocket::{binary_frame, close_frame, text_frame},
    };
    use proptest::prelude::*;

    #[test]
    fn framed_packets_become_a_body() {
        let mut entry = text_frame("451-[\"x\"]").to_vec();
        entry.extend_from_slice(&binary_frame(&[1, 2, 3, 4]));
        let cases: [(&[&[u8]], &str); 5] = [
            (&[], ""),
            (&[&NOOP_FRAME], "6"),
            (
                &[&text_frame("4hello"), &entry, &text_frame("2")],
                "4hello\x1e451-[\"x\"]\x1ebAQIDBA==\x1e2",
            ),
            (&[&binary_frame(&[])], "b"),
            (&[&text_frame("4é"), &close_frame(None)], "4é"),
        ];
        for (entries, expected) in cases {
            let mut body = String::new();
            for entry in entries {
                push_packets(&mut body, entry);
            }
            assert_eq!(body, expected);
        }
    }

    fn split(mut body: &[u8]) -> Vec<&[u8]> {
        let mut all = Vec::new();
        loop {
            let (packet, rest) = split_packet(body);
            all.push(packet);
            match rest {
                Some(rest) => body = rest,
                None => return all,
            }
        }
    }

    #[test]
    fn bodies_are_split() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[""]),
            ("4a", &["4a"]),
            ("4a\x1e2\x1eb", &["4a", "2", "b"]),
            ("4a\x1e", &["4a", ""]),
            ("\x1e\x1e", &["", "", ""]),
        ];
        for (body, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|packet| packet.as_bytes()).collect();
            assert_eq!(split(body.as_bytes()), expected, "{body:?}");
            assert_eq!(packet_count(body.as_bytes()), expected.len(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_split_into_as_many_as_are_counted(body: Vec<u8>) {
            let all = split(&body);
            prop_assert_eq!(all.len(), packet_count(&body));
            prop_assert_eq!(all.join(&SEPARATOR), body);
        }

        #[test]
        fn what_is_written_is_read_back(messages: Vec<Result<String, Vec<u8>>>) {
            let messages: Vec<_> = messages
                .into_iter()
                .map(|message| message.map(|text| text.replace('\x1e', "")))
                .collect();
            let mut body = String::new();
            for message in &messages {
                let frame = match message {
                    Ok(text) => text_frame(&format!("4{text}")),
                    Err(bytes) => binary_frame(bytes),
                };
                push_packets(&mut body, &frame);
            }
            prop_assume!(!messages.is_empty());
            let read: Vec<_> = split(body.as_bytes())
                .into_iter()
                .map(|packet| match Packet::decode(str::from_utf8(packet).unwrap()) {
                    Ok(Packet::Message(text)) => Ok(text.to_owned()),
                    Ok(Packet::Binary(bytes)) => Err(bytes),
                    other => panic!("{other:?}"),
                })
                .collect();
            prop_assert_eq!(read, messages);
        }
    }
}
