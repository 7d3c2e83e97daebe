//! Any bytes are read or refused; what was read can be written, and is the same when it is read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::{
    Limits,
    msgpack::{Reader, Writer, decode_args, decode_event, decode_value, encode_value},
    socket_io::{Decoder, Parsers},
};

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let skipped = Reader::new(input).skip();
    let _ = decode_args(&mut Reader::new(input), &limits);
    let _ = decode_event(&mut Reader::new(input), &limits);
    if let Ok(packet) = Decoder::with_parsers(Parsers::Msgpack).binary(input, &limits) {
        assert!(packet.is_some_and(|packet| packet.namespace().starts_with('/')));
    }
    let Ok(json) = decode_value(&mut Reader::new(input), &limits) else {
        return;
    };
    assert!(skipped.is_ok());
    assert!(json.text.len() <= 64 * input.len());
    let held: usize = json.attachments.iter().map(|data| data.len()).sum();
    assert!(held <= input.len());

    let mut out = Writer::new();
    encode_value(&json.text, &json.attachments, &mut out).expect("what was read is JSON");
    let again = decode_value(&mut Reader::new(out.as_bytes()), &limits).expect("and msgpack");
    // An object that looks like a placeholder may have taken the place of a byte string.
    if json.text.matches("_placeholder").count() == json.attachments.len() {
        assert_eq!(again, json);
    }
});
