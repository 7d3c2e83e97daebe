//! Any text is read or refused, and what was read as binary can be written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::engine_io::{Packet, push_base64};

fuzz_target!(|text: &str| {
    if let Ok(Packet::Binary(bytes)) = Packet::decode(text) {
        let mut written = String::new();
        push_base64(&mut written, &bytes);
        assert_eq!(Packet::decode(&written), Ok(Packet::Binary(bytes)));
    }
});
