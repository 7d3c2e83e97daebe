//! Any body of a POST is read or refused, in each form that it may have, and what was read takes no more than what came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::engine_io::{Form, Packet, Payload};

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let (form, is_bytes) = match kind % 4 {
        0 => (Form::V3, false),
        1 => (Form::V3, true),
        2 => (Form::V3Jsonp(0), false),
        _ => (Form::V4, false),
    };
    let mut payload = Payload::new(form, body.to_vec(), is_bytes);
    let count = payload.count();
    let (mut read, mut length) = (0, 0);
    while let Some(packet) = payload.next_packet() {
        read += 1;
        length += match packet {
            Ok(Packet::Open(text) | Packet::Ping(text) | Packet::Pong(text) | Packet::Message(text)) => text.len(),
            Ok(Packet::Binary(data)) => data.len(),
            Ok(Packet::Close | Packet::Upgrade | Packet::Noop) | Err(_) => 0,
        };
    }
    assert!(read <= count + 1, "one error about what can't be told apart, at most");
    // What a form does not spell as UTF-8 becomes U+FFFD, three bytes for one.
    assert!(length <= 3 * body.len());
    assert!(payload.is_done());
});
