//! Half characters, which JavaScript's strings may hold and ours may not.

use std::borrow::Cow;

/// Replaces lone surrogates in JSON text (`"\ud800"`) by the replacement character (`"\ufffd"`), as JavaScript does
/// where it has to write such a string as UTF-8. Pairs are left alone, and no other byte moves.
pub(in crate::wire) fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        let escape = at + offset;
        match unit(json, escape) {
            Some(0xD800..=0xDBFF) if matches!(unit(json, escape + 6), Some(0xDC00..=0xDFFF)) => {
                at = escape + 12;
            }
            Some(0xD800..=0xDFFF) => {
                at = escape + 6;
                repaired.push_str(&json[copied..escape]);
                repaired.push_str("\\ufffd");
                copied = at;
            }
            // Whatever else is escaped, a backslash among it, is the next byte.
            _ => at = json.len().min(escape + 2),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    repaired.push_str(&json[copied..]);
    Cow::Owned(repaired)
}

/// The UTF-16 code unit of a `\u` escape at `start`, if one is there.
fn unit(json: &str, start: usize) -> Option<u16> {
    let digits = json
        .as_bytes()
        .get(start..start + 6)?
        .strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | digit as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::without_lone_surrogates;

    #[test]
    fn replaces_lone_surrogates_only() {
        for (json, expected) in [
            (r#"["plain"]"#, r#"["plain"]"#),
            (r#"["\ud83d\ude00"]"#, r#"["\ud83d\ude00"]"#),
            (r#"["\uD83D\uDE00"]"#, r#"["\uD83D\uDE00"]"#),
            (r#"["\ud800"]"#, r#"["\ufffd"]"#),
            (r#"["a\udc00b"]"#, r#"["a\ufffdb"]"#),
            (r#"["\ud800\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            (r#"["\ude00\ud83d"]"#, r#"["\ufffd\ufffd"]"#),
            (r#"["\ud800\n"]"#, r#"["\ufffd\n"]"#),
            (r#"["\\ud800"]"#, r#"["\\ud800"]"#),
            (r#"["\\\ud800"]"#, r#"["\\\ufffd"]"#),
            (r#"["\ud8"]"#, r#"["\ud8"]"#),
            (r#"["\ud8é0"]"#, r#"["\ud8é0"]"#),
            (r"\", r"\"),
            (r"\é", r"\é"),
        ] {
            assert_eq!(without_lone_surrogates(json), expected);
            assert_eq!(expected.len(), json.len());
        }
    }
}
