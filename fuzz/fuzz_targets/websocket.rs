//! Frames have the same outcome in one piece and in pieces of any size, and the decoder holds little more than came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rooms_layer::wire::{
    Limits,
    websocket::{Decoder, WebSocketError},
};

fn decode(bytes: &[u8], piece: usize) -> (Vec<String>, Option<WebSocketError>) {
    let limits = Limits::default();
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        loop {
            match decoder.decode(rest, &limits) {
                Ok((_, None)) => break,
                Ok((consumed, Some(incoming))) => {
                    seen.push(format!("{incoming:?}"));
                    rest = &mut rest[consumed..];
                }
                Err(error) => return (seen, Some(error)),
            }
        }
        assert!(decoder.held_bytes() <= 1024 + 2 * bytes.len());
    }
    (seen, None)
}

fuzz_target!(|input: &[u8]| {
    let [piece, frames @ ..] = input else { return };
    let whole = decode(frames, frames.len().max(1));
    assert_eq!(decode(frames, usize::from(*piece) + 1), whole);
    assert_eq!(decode(frames, 1), whole);
});
