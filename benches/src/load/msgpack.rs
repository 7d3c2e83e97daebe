//! Packets in msgpack, as the official client's parser writes them, to and from the text that modes speak.

use rmpv::Value;
use serde_json::{Map, Value as Json, json};

/// The packet that a text such as `420["join"]` stands for.
pub(super) fn encode(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix('4')?;
    let (kind, rest) = text.split_at_checked(1)?;
    let (id, data) = rest.split_at(rest.find(['[', '{']).unwrap_or(rest.len()));
    let mut packet = json!({ "type": kind.parse::<u8>().ok()?, "nsp": "/" });
    if !id.is_empty() {
        packet["id"] = json!(id.parse::<u32>().ok()?);
    }
    if !data.is_empty() {
        packet["data"] = serde_json::from_str(data).ok()?;
    }
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &rmpv::ext::to_value(packet).ok()?).ok()?;
    Some(bytes)
}

/// The text that a packet stands for.
pub(super) fn decode(mut packet: &[u8]) -> Option<Vec<u8>> {
    let packet = to_json(rmpv::decode::read_value(&mut packet).ok()?);
    let id = packet["id"].as_u64().map(|id| id.to_string());
    let data = match &packet["data"] {
        Json::Null => String::new(),
        data => data.to_string(),
    };
    let kind = packet["type"].as_u64()?;
    Some(format!("4{kind}{}{data}", id.unwrap_or_default()).into_bytes())
}

/// What Node's parser writes for `undefined`, an extension, is null here.
fn to_json(value: Value) -> Json {
    match value {
        Value::Array(items) => items.into_iter().map(to_json).collect(),
        Value::Map(entries) => {
            let text = |key: Value| key.as_str().unwrap_or_default().to_owned();
            let entries = entries.into_iter();
            let entries: Map<_, _> = entries.map(|(k, v)| (text(k), to_json(v))).collect();
            Json::Object(entries)
        }
        Value::String(text) => Json::from(text.as_str().unwrap_or_default()),
        Value::Integer(number) => number.as_u64().map_or(Json::Null, Json::from),
        _ => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            "40",
            r#"40{"sid":"a"}"#,
            r#"42["msg",1,"x"]"#,
            r#"430["ok"]"#,
            r#"420["join"]"#,
        ] {
            let packet = encode(text.as_bytes()).expect("a packet");
            let back = decode(&packet).expect("a text");
            assert_eq!(String::from_utf8_lossy(&back), text);
        }
    }

    #[test]
    fn undefined_is_nothing() {
        // {"type": 0, "data": undefined}
        let packet = b"\x82\xa4type\x00\xa4data\xd4\x00\x00";
        assert_eq!(decode(packet).as_deref(), Some(&b"40"[..]));
    }

    #[test]
    fn what_is_no_packet() {
        for text in ["2", "4", "4x", "42[", "42x[]"] {
            assert_eq!(encode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode(b"\xc1"), None);
        assert_eq!(decode(b"\x01"), None);
    }
}
