//! Packets in msgpack, as the official client's parser writes them, to and from the text that modes speak.

use serde_json::{Value, json};

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
    rmp_serde::to_vec_named(&packet).ok()
}

/// The text that a packet stands for.
pub(super) fn decode(packet: &[u8]) -> Option<Vec<u8>> {
    let packet: Value = rmp_serde::from_slice(packet).ok()?;
    let id = packet["id"].as_u64().map(|id| id.to_string());
    let data = match &packet["data"] {
        Value::Null => String::new(),
        data => data.to_string(),
    };
    let text = format!(
        "4{}{}{data}",
        packet["type"].as_u64()?,
        id.unwrap_or_default()
    );
    Some(text.into_bytes())
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
    fn what_is_no_packet() {
        for text in ["2", "4", "4x", "42[", "42x[]"] {
            assert_eq!(encode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode(b"\xc1"), None);
        assert_eq!(decode(b"\x01"), None);
    }
}
