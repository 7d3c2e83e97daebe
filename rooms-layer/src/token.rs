//! Cellar: random url-safe tokens, the raw material of every id that we make.

/// The length of a token in characters.
pub(crate) const LEN: usize = 20;

/// Makes a token of 120 random bits: 15 bytes in base64url (RFC 4648 section 5), which need no padding.
pub(crate) fn random() -> [u8; LEN] {
    encode::<15, LEN>(bytes())
}

/// Makes a token of 144 random bits, for what stays a secret longer than a connection lasts.
#[cfg(feature = "server")]
pub(crate) fn secret() -> String {
    let token = encode::<18, 24>(bytes());
    String::from_utf8(token.into()).expect("base64url is ASCII")
}

/// Tells whether a text could be a token.
pub(crate) fn has_the_form(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() == LEN && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Random bytes of a cryptographic generator seeded by the operating system, since a session id is a bearer secret.
fn bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    // All at once: an array that is made at random asks for each of its bytes.
    rand::fill(&mut bytes);
    bytes
}

fn encode<const BYTES: usize, const LEN: usize>(bytes: [u8; BYTES]) -> [u8; LEN] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut token = [0; LEN];
    for (from, to) in bytes.chunks_exact(3).zip(token.chunks_exact_mut(4)) {
        let bits = u32::from_be_bytes([0, from[0], from[1], from[2]]);
        for (place, character) in to.iter_mut().enumerate() {
            *character = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64url() {
        let cases: [([u8; 15], &str); 4] = [
            ([0x00; 15], "AAAAAAAAAAAAAAAAAAAA"),
            ([0xff; 15], "____________________"),
            (
                [
                    0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb,
                    0xef, 0xbe,
                ],
                "--------------------",
            ),
            (*b"Many hands make", "TWFueSBoYW5kcyBtYWtl"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(str::from_utf8(&encode::<15, LEN>(bytes)).unwrap(), expected);
        }
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let tokens: std::collections::HashSet<_> = (0..1_000).map(|_| random()).collect();
        assert_eq!(tokens.len(), 1_000);
    }

    #[cfg(feature = "server")]
    #[test]
    fn no_two_secrets_are_alike() {
        let secrets: std::collections::HashSet<_> = (0..1_000).map(|_| secret()).collect();
        assert_eq!(secrets.len(), 1_000);
        assert!(secrets.iter().all(|secret| secret.len() == 24));
    }
}
