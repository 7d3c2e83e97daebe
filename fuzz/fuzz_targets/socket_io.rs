//! Any messages, text and binary, are read or refused; lines that are not UTF-8 or begin with `!` stand for binary.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::{Limits, socket_io::Decoder};

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    for message in input.split(|byte| *byte == b'\n') {
        let outcome = match std::str::from_utf8(message) {
            Ok(text) if !text.starts_with('!') => decoder.text(text, &limits),
            _ => decoder.binary(message, &limits),
        };
        assert!(outcome.is_ok() || decoder.pending_bytes() == 0);
        assert!(decoder.pending_bytes() <= input.len());
        if let Ok(Some(packet)) = outcome {
            assert!(!packet.namespace().is_empty());
            assert!(packet.event().len() <= limits.max_event_name);
            let _ = packet.into_args().values();
        }
    }
});
