//! From JSON with attachments to msgpack.
//!
//! msgpack says how many elements an array has before the first of them. So the text is read twice: once to count, and once to
//! write what stands there, in the same order. Neither pass recurses, whatever the depth.

use serde_json::value::RawValue;

use super::{
    WriteError, Writer,
    json::{Lexeme, Lexer},
};
use crate::wire::{Args, Data, args::without_lone_surrogates};

/// Writes one value of JSON, with attachments in the place of their placeholders.
///
/// An attachment takes one place, as [`Args`] has it: an object that looks like a placeholder, but names none or one that has
/// its place already, stays an object.
///
/// # Errors
///
/// Fails if the text is not JSON, or if something has no form in msgpack for its length. Nothing is written then.
pub fn encode_value(
    json: &str,
    attachments: &[impl AsRef<[u8]>],
    out: &mut Writer,
) -> Result<(), WriteError> {
    let _: &RawValue = serde_json::from_str(json).map_err(|_| WriteError::Syntax)?;
    transcode(json, attachments, out)
}

/// Writes outgoing arguments as an array, that of an event with its name in front.
///
/// # Errors
///
/// Fails if something has no form in msgpack for its length. Nothing is written then.
pub fn encode_data(data: &Data, out: &mut Writer) -> Result<(), WriteError> {
    transcode(data.json(), data.attachments(), out)
}

/// Writes arguments that were received as an array; of an event, without its name.
///
/// # Errors
///
/// Fails if something has no form in msgpack for its length. Nothing is written then.
pub fn encode_args(args: &Args, out: &mut Writer) -> Result<(), WriteError> {
    let mut places = Places::new(args.attachments())?;
    // There are no more of them than bytes, and none is longer than all.
    length(args.text_len())?;
    out.array(length(args.len())?);
    (0..args.len())
        .filter_map(|index| args.raw(index))
        .try_for_each(|json| places.transcode(json, out))
}

/// Writes one value of JSON like [`encode_value`], whose syntax was checked before.
pub(in crate::wire) fn transcode(
    json: &str,
    attachments: &[impl AsRef<[u8]>],
    out: &mut Writer,
) -> Result<(), WriteError> {
    Places::new(attachments)?.transcode(json, out)
}

/// A length or a count, if msgpack has a form for it.
fn length(length: usize) -> Result<u32, WriteError> {
    u32::try_from(length).map_err(|_| WriteError::TooLong)
}

/// Attachments, and which of them have their place.
struct Places<'a, A> {
    attachments: &'a [A],
    taken: Vec<bool>,
}

/// What an opening bracket begins.
#[derive(Clone, Copy)]
enum Container {
    Array(u32),
    Map(u32),
    Attachment(usize),
}

impl<'a, A: AsRef<[u8]>> Places<'a, A> {
    fn new(attachments: &'a [A]) -> Result<Self, WriteError> {
        for data in attachments {
            length(data.as_ref().len())?;
        }
        Ok(Self {
            attachments,
            taken: vec![false; attachments.len()],
        })
    }

    fn transcode(&mut self, json: &str, out: &mut Writer) -> Result<(), WriteError> {
        // Nothing in the text is longer than the text, nor has more elements.
        length(json.len())?;
        let mut containers = self.count(json).into_iter();
        let mut lexemes = Lexer::new(json);
        while let Some(lexeme) = lexemes.next() {
            match lexeme {
                Lexeme::BeginArray | Lexeme::BeginObject => {
                    match containers.next().ok_or(WriteError::Syntax)? {
                        Container::Array(count) => out.array(count),
                        Container::Map(count) => out.map(count),
                        Container::Attachment(num) => {
                            out.bin(self.attachments[num].as_ref());
                            skip_to_end(&mut lexemes, &mut containers);
                        }
                    }
                }
                Lexeme::End => {}
                Lexeme::String(text) => write_string(text, out)?,
                Lexeme::Word(word) => write_word(word, out)?,
            }
        }
        Ok(())
    }

    /// Finds out what each bracket begins, in their order.
    fn count(&mut self, json: &str) -> Vec<Container> {
        let mut containers = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for lexeme in Lexer::new(json) {
            if lexeme == Lexeme::End {
                if let Some(ended) = open.pop() {
                    containers[ended.at] = self.place(&ended);
                }
                continue;
            }
            if let Some(around) = open.last_mut() {
                around.hold(lexeme);
            }
            let is_object = match lexeme {
                Lexeme::BeginArray => false,
                Lexeme::BeginObject => true,
                _ => continue,
            };
            open.push(Open::new(containers.len(), is_object));
            containers.push(Container::Array(0));
        }
        containers
    }

    fn place(&mut self, ended: &Open) -> Container {
        match ended.num.filter(|_| ended.is_placeholder) {
            Some(num) if self.taken.get(num) == Some(&false) => {
                self.taken[num] = true;
                Container::Attachment(num)
            }
            _ if ended.is_object => Container::Map(ended.count),
            _ => Container::Array(ended.count),
        }
    }
}

/// A bracket that is not closed yet.
struct Open {
    at: usize,
    is_object: bool,
    count: u32,
    /// In an object, the key whose value comes next.
    key: Option<Key>,
    is_placeholder: bool,
    num: Option<usize>,
}

enum Key {
    Placeholder,
    Num,
    Other,
}

impl Open {
    fn new(at: usize, is_object: bool) -> Self {
        Self {
            at,
            is_object,
            count: 0,
            key: None,
            is_placeholder: false,
            num: None,
        }
    }

    /// Notes what is directly inside. Of keys that occur twice the last one counts, as in [`Args`].
    fn hold(&mut self, lexeme: Lexeme<'_>) {
        match (self.key.take(), lexeme) {
            (Some(Key::Placeholder), value) => self.is_placeholder = value == Lexeme::Word("true"),
            (Some(Key::Num), Lexeme::Word(value)) => self.num = value.parse().ok(),
            (Some(Key::Num), _) => self.num = None,
            (Some(Key::Other), _) => {}
            (None, element) => {
                self.count += 1;
                if self.is_object {
                    self.key = Some(Key::of(element));
                }
            }
        }
    }
}

impl Key {
    fn of(lexeme: Lexeme<'_>) -> Self {
        let Lexeme::String(key) = lexeme else {
            return Self::Other;
        };
        let unescaped: String;
        let key = match key.contains('\\') {
            true => {
                unescaped = serde_json::from_str(key).unwrap_or_default();
                &unescaped
            }
            false => key.trim_matches('"'),
        };
        match key {
            "_placeholder" => Self::Placeholder,
            "num" => Self::Num,
            _ => Self::Other,
        }
    }
}

/// Passes over what stands in a placeholder.
fn skip_to_end(lexemes: &mut Lexer<'_>, containers: &mut impl Iterator<Item = Container>) {
    let mut depth = 1;
    while depth > 0 {
        match lexemes.next() {
            Some(Lexeme::BeginArray | Lexeme::BeginObject) => {
                containers.next();
                depth += 1;
            }
            Some(Lexeme::End) => depth -= 1,
            Some(_) => {}
            None => return,
        }
    }
}

fn write_string(quoted: &str, out: &mut Writer) -> Result<(), WriteError> {
    if memchr::memchr(b'\\', quoted.as_bytes()).is_some() {
        let text: String = serde_json::from_str(&without_lone_surrogates(quoted))
            .map_err(|_| WriteError::Syntax)?;
        out.str(&text);
    } else {
        let text = quoted.strip_prefix('"').and_then(|s| s.strip_suffix('"'));
        out.str(text.ok_or(WriteError::Syntax)?);
    }
    Ok(())
}

fn write_word(word: &str, out: &mut Writer) -> Result<(), WriteError> {
    match word {
        "null" => out.nil(),
        "true" => out.bool(true),
        "false" => out.bool(false),
        // An integer has no negative zero.
        "-0" => out.float(-0.0),
        number => {
            if let Ok(number) = number.parse() {
                out.int(number);
            } else if let Ok(number) = number.parse() {
                out.uint(number);
            } else {
                out.float(number.parse().map_err(|_| WriteError::Syntax)?);
            }
        }
    }
    Ok(())
}
