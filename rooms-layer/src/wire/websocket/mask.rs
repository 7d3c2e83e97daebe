//! The mask over everything that a client sends (RFC 6455, section 5.3).

/// Lifts `mask` from `bytes`, eight bytes at a time, and turns it to where the bytes that follow begin.
pub(super) fn unmask(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let [a, b, c, d] = *mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
    mask.rotate_left(bytes.len() % 4);
}

#[cfg(test)]
mod tests {
    use super::unmask;

    #[test]
    fn agrees_with_the_definition_at_every_length_and_split() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let clear: Vec<u8> = (0..40).collect();
        let masked: Vec<u8> = clear
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ key[i % 4])
            .collect();
        for length in 0..=clear.len() {
            for split in 0..=length {
                let mut bytes = masked[..length].to_vec();
                let mut mask = key;
                let (front, back) = bytes.split_at_mut(split);
                unmask(front, &mut mask);
                unmask(back, &mut mask);
                assert_eq!(bytes, clear[..length], "{length} bytes split at {split}");
            }
        }
    }
}
