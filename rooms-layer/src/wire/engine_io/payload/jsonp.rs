//! What script tags and forms carry, for pages that have no other way to a server.

/// Writes a body as a call of the page's function of that number.
pub(super) fn call(index: u16, body: &str) -> String {
    let text = serde_json::to_string(body).expect("a string is always JSON");
    // Older JavaScript takes these two for the end of a line, which no string may hold.
    let text = text.replace('\u{2028}', "\\u2028");
    let text = text.replace('\u{2029}', "\\u2029");
    format!("___eio[{index}]({text});")
}

/// Reads a body out of the field `d` of a form. What has no such field is an empty body, which is none.
pub(super) fn read(form: &[u8]) -> Vec<u8> {
    let fields = form_urlencoded::parse(form);
    let body = fields.filter(|(name, _)| name == "d").last();
    body.map_or(Vec::new(), |(_, body)| unescape(&body).into_bytes())
}

/// Forms change line feeds, so clients write `\n` for them, and `\\n` for a `\n` that was there before.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('n') {
            out.push('\n');
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("\\n") {
            out.push_str("\\n");
            rest = behind;
        } else {
            out.push('\\');
        }
    }
    out.push_str(rest);
    out
}
