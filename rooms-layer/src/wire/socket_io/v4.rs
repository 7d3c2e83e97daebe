//! Packets of protocol 4, which clients of Engine.IO 3 speak, where they differ from those of protocol 5: those by which a client
//! gets into a namespace.

use super::{PacketError, encode::control_frame};
use crate::wire::{
    Args, Limits, Value,
    args::{Elements, scan_value},
};
use bytes::Bytes;

/// Writes the packet that lets a client into a namespace. It has no payload.
pub fn connect_frame(namespace: &str) -> Bytes {
    control_frame(b"40", namespace, "")
}

/// Writes the packet that refuses a namespace: with the data if there is any, and otherwise with the message. Byte strings in
/// `data` have no form here and are written as arrays of numbers.
pub fn connect_error_frame(namespace: &str, message: &str, data: Option<&Value>) -> Bytes {
    let payload = match data {
        Some(data) => serde_json::to_string(data),
        None => serde_json::to_string(message),
    };
    let payload = payload.expect("strings and values are always JSON");
    control_frame(b"44", namespace, &payload)
}

/// Takes the namespace of a connect packet apart: its path, and its query as the object that a client of protocol 5 sends as its
/// payload. All values of it are strings; of a parameter that occurs twice, the last one counts. Without a query there is no
/// object.
///
/// # Errors
///
/// Fails if the query exceeds a ceiling.
pub fn split_namespace<'a>(
    namespace: &'a str,
    limits: &Limits,
) -> Result<(&'a str, Args), PacketError> {
    let (path, query) = namespace.split_once('?').unwrap_or((namespace, ""));
    if query.is_empty() {
        return Ok((path, Args::default()));
    }
    let auth: serde_json::Map<_, _> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into()))
        .collect();
    let json = serde_json::Value::from(auth).to_string().into_boxed_str();
    let object = Elements::from_iter([scan_value(&json, 0, limits)?]);
    Ok((path, Args::assemble(json, object, Vec::new())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::websocket::text_frame;
    use proptest::prelude::*;

    #[test]
    fn server_packets() {
        let data = Value::from_iter([("code", Value::Int(401))]);
        for (frame, packet) in [
            (connect_frame("/"), "40"),
            (connect_frame("/a"), "40/a,"),
            (
                connect_error_frame("/", "no \"entry\"", None),
                r#"44"no \"entry\"""#,
            ),
            (
                connect_error_frame("/a", "no entry", Some(&data)),
                r#"44/a,{"code":401}"#,
            ),
        ] {
            assert_eq!(frame, text_frame(packet));
        }
    }

    #[test]
    fn the_query_of_a_namespace_is_its_auth() {
        for (namespace, path, auth) in [
            ("/", "/", None),
            ("/a", "/a", None),
            ("/a?", "/a", None),
            ("/a?x=1&y=%41", "/a", Some(r#"{"x":"1","y":"A"}"#)),
            ("/a?x=1&x=2", "/a", Some(r#"{"x":"2"}"#)),
            ("/a?x=a+b%2Bc", "/a", Some(r#"{"x":"a b+c"}"#)),
            ("/a?x", "/a", Some(r#"{"x":""}"#)),
            ("/a?x=%22?%5C", "/a", Some(r#"{"x":"\"?\\"}"#)),
            // Not an attachment, but two strings.
            (
                "/a?_placeholder=true&num=0",
                "/a",
                Some(r#"{"_placeholder":"true","num":"0"}"#),
            ),
        ] {
            let split = split_namespace(namespace, &Limits::default());
            let (found, args) = split.expect(namespace);
            assert_eq!((found, args.raw(0)), (path, auth), "{namespace}");
        }
    }

    proptest! {
        #[test]
        fn any_namespace_is_taken_apart(namespace in "/.{0,40}|/a\\?([a-c_]?=?[%&+\u{80}-\u{ff}0-9]{0,3}){0,8}") {
            let split = split_namespace(&namespace, &Limits::default());
            let (path, args) = split.unwrap();
            prop_assert!(namespace.starts_with(path));
            prop_assert!(args.len() <= 1);
        }
    }
}
