//! The parts of JSON that msgpack has too.

/// Takes JSON, whose syntax was checked before, apart. Commas and colons are passed over: what they say is said by the order.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lexeme<'a> {
    BeginArray,
    BeginObject,
    End,
    /// With its quotes.
    String(&'a str),
    /// A number, `true`, `false` or `null`.
    Word(&'a str),
}

impl<'a> Lexer<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { rest: json }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Lexeme<'a>;

    fn next(&mut self) -> Option<Lexeme<'a>> {
        let begin = self.rest.bytes().position(|byte| !is_between(byte))?;
        let rest = &self.rest[begin..];
        let length = match rest.as_bytes()[0] {
            b'[' | b'{' | b']' | b'}' => 1,
            b'"' => string_length(rest),
            _ => rest
                .bytes()
                .position(|byte| is_between(byte) || matches!(byte, b']' | b'}'))
                .unwrap_or(rest.len()),
        };
        let (lexeme, rest) = rest.split_at(length);
        self.rest = rest;
        Some(match lexeme.as_bytes()[0] {
            b'[' => Lexeme::BeginArray,
            b'{' => Lexeme::BeginObject,
            b']' | b'}' => Lexeme::End,
            b'"' => Lexeme::String(lexeme),
            _ => Lexeme::Word(lexeme),
        })
    }
}

fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')
}

/// The length of the string that `text` begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(offset) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += offset;
        if bytes[at] == b'"' {
            return at + 1;
        }
        // Whatever is escaped, a quote among it, is the next byte.
        at += 2;
    }
    text.len()
}
