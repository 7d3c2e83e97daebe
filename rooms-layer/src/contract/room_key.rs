//! Values that stand in room names.

use std::fmt::Write;

/// A value that can stand in a room's name, such that different values give different names.
///
/// The values in the path of a [`DynamicNamespace`](crate::DynamicNamespace) are keys as well.
///
/// Integers, `bool`, `String`, `char` and IP addresses are keys; [derive](derive@crate::RoomKey) it for ids of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of the name of a room or the path of a namespace",
    note = "add `#[derive(rooms_layer::RoomKey)]` to `{Self}`"
)]
pub trait RoomKey: Sized {
    /// Writes the value.
    fn write(&self, out: &mut String);
    /// Reads a value; `None` unless [`write`](RoomKey::write) could have written it.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! display_keys {
    ($($key:ty),*) => {$(
        impl RoomKey for $key {
            fn write(&self, out: &mut String) {
                write!(out, "{self}").expect("writing to a string does not fail");
            }
            fn parse(text: &str) -> Option<Self> {
                let value: Self = text.parse().ok()?;
                // Only what we write ourselves is a name: "+1" and "01" parse as 1, yet they are other rooms.
                let mut canonical = String::new();
                RoomKey::write(&value, &mut canonical);
                (canonical == text).then_some(value)
            }
        }
    )*};
}
display_keys!(u8, u16, u32, u64, u128, usize);
display_keys!(i8, i16, i32, i64, i128, isize);
display_keys!(bool, char, std::net::IpAddr);

impl RoomKey for String {
    fn write(&self, out: &mut String) {
        out.push_str(self);
    }
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// Writes a key that is not the last one of a name, so that it can't be mistaken for two.
#[doc(hidden)]
pub fn write_escaped<K: RoomKey>(key: &K, out: &mut String) {
    let start = out.len();
    key.write(out);
    if !out[start..].contains(['%', ':']) {
        return;
    }
    let raw = out.split_off(start);
    for c in raw.chars() {
        match c {
            '%' => out.push_str("%25"),
            ':' => out.push_str("%3A"),
            c => out.push(c),
        }
    }
}

/// Reads a key that [`write_escaped`] wrote.
#[doc(hidden)]
pub fn parse_escaped<K: RoomKey>(text: &str) -> Option<K> {
    if text.contains(':') {
        return None;
    }
    let (mut raw, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('%') {
        raw.push_str(&rest[..at]);
        match rest.get(at..at + 3)? {
            "%25" => raw.push('%'),
            "%3A" => raw.push(':'),
            _ => return None,
        }
        rest = &rest[at + 3..];
    }
    raw.push_str(rest);
    K::parse(&raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_numbers_are_keys() {
        for (text, key) in [
            ("42", Some(42)),
            ("042", None),
            ("+42", None),
            ("", None),
            ("4 2", None),
        ] {
            assert_eq!(u64::parse(text), key, "{text:?}");
        }
    }

    #[test]
    fn escaping_is_undone_and_nothing_else_is_read() {
        for key in ["", "a", "a:b", "100%", "%3A", ":%25:"] {
            let mut name = String::from("x:");
            write_escaped(&key.to_owned(), &mut name);
            assert_eq!(parse_escaped::<String>(&name[2..]).as_deref(), Some(key));
        }
        for broken in ["a:b", "%", "%2", "%3a", "%€"] {
            assert_eq!(parse_escaped::<String>(broken), None, "{broken:?}");
        }
    }
}
