//! Static and dynamic namespaces: one path, or as many as there are values to put into it.

use super::namespace::Namespace;
use std::any::Any;

/// A namespace with one path.
#[diagnostic::on_unimplemented(
    message = "namespace `{Self}` is dynamic: it has a path for each of its values",
    label = "which `{Self}`?",
    note = "name it: `.at({Self} {{ .. }})`"
)]
pub trait StaticNamespace: Namespace {}

/// A namespace whose path has values in it: a *child* for each of them, with sockets and rooms of its own, under one contract
/// and with the same handlers.
///
/// `#[derive(Namespace)]` implements it for a struct whose path names its fields. Each field is a [`RoomKey`](crate::RoomKey).
///
/// ```
/// # use rooms_layer::{prelude::*, DynamicNamespace, MountError};
/// # #[derive(Event)] #[event(broadcast)] struct Refresh;
/// #[derive(Namespace, Debug, PartialEq)]
/// #[namespace(path = "/workspace-{id}", server(Refresh))]
/// struct Workspace {
///     id: u64,
/// }
///
/// let rooms = RoomsLayer::new().namespace(Workspace::serve(()).on_connect(async |socket: Socket<Workspace>| {
///     println!("welcome to workspace {}", socket.namespace().id);
/// }));
/// let io: Io<Workspace> = rooms.at(Workspace { id: 7 })?;
/// io.emit(Refresh).ok();
///
/// assert_eq!(Workspace { id: 7 }.path(), "/workspace-7");
/// assert_eq!(Workspace::parse("/workspace-7"), Some(Workspace { id: 7 }));
/// assert_eq!(Workspace::parse("/workspace-07"), None);
/// # Ok::<(), MountError>(())
/// ```
///
/// # Paths
///
/// Values are written into the path as `encodeURIComponent` writes them in JavaScript, so that different values give different
/// paths. The first character of what follows a value is written that way too: in `/{team}-{board}` a team `a-b` reads `a%2Db`,
/// and clients have to know that. With a `/` between values they don't.
///
/// Only the path that would be written for a value is its path: `/workspace-07` is nobody's.
///
/// # Whose path it is
///
/// A static namespace goes before a dynamic one that has its path as well. Of two dynamic ones the first mounted gets the paths
/// that both have. That they have one is found by trying values, and an error at the start of the server.
///
/// # Life
///
/// A child is made when its first client connects or a handle to it is asked for, and is gone with its last client and its
/// last handle. [`NamespaceConfig::max_dynamic_namespaces`](crate::NamespaceConfig) is how many there may be at a time.
#[diagnostic::on_unimplemented(
    message = "namespace `{Self}` is static: it has one path",
    label = "there is only one `{Self}`",
    note = "for a path for each value, name a field in it: `#[namespace(path = \"/workspace-{{id}}\")] struct Workspace {{ id: u64 }}`"
)]
pub trait DynamicNamespace: Namespace {
    /// What stands before, between and behind the values.
    #[doc(hidden)]
    const LITERALS: &'static [&'static str];
    /// Writes the path for these values.
    fn path(&self) -> String;
    /// Reads the values of a path; `None` unless [`path`](DynamicNamespace::path) could have written it.
    fn parse(path: &str) -> Option<Self>;
}

/// The paths of a dynamic namespace, as the floor below matches them.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Paths {
    /// As they are declared: `/workspace-{id}`.
    pub text: &'static str,
    /// Reads a path; `None` where it is not one of them.
    pub parse: fn(&str) -> Option<Box<dyn Any + Send + Sync>>,
    /// Some of the paths, and perhaps others.
    pub samples: fn() -> Vec<String>,
}

impl Paths {
    /// The paths of `N`.
    pub fn of<N: DynamicNamespace>() -> Self {
        Paths {
            text: N::PATH,
            parse: |path| Some(Box::new(N::parse(path)?)),
            samples: samples::<N>,
        }
    }
}

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Paths").field(&self.text).finish()
    }
}

/// Texts that are keys of many types, for finding paths that two namespaces have.
const SAMPLES: [&str; 4] = ["1", "a", "true", "00000000-0000-0000-0000-000000000001"];

/// Paths with sample values. Whether they are paths of `N` is for `N` to say.
fn samples<N: DynamicNamespace>() -> Vec<String> {
    SAMPLES
        .iter()
        .map(|sample| N::LITERALS.join(sample))
        .collect()
}

/// Writes the values of a path, one after the other.
#[doc(hidden)]
#[derive(Debug)]
pub struct PathWriter {
    path: String,
}

impl PathWriter {
    /// Begins to write a path.
    pub fn new(first: &str) -> Self {
        PathWriter {
            path: first.to_owned(),
        }
    }

    /// Writes a value. `next` is what follows it, or nothing at the end of the path.
    pub fn value(&mut self, next: &str, write: impl FnOnce(&mut String)) {
        let mut raw = String::new();
        write(&mut raw);
        escape(&raw, next, &mut self.path);
    }

    /// Writes what stands around the values.
    pub fn literal(&mut self, literal: &str) {
        self.path.push_str(literal);
    }

    /// The whole path.
    pub fn end(self) -> String {
        self.path
    }
}

/// Reads the values of a path, one after the other.
#[doc(hidden)]
#[derive(Debug)]
pub struct PathReader<'a> {
    rest: &'a str,
}

impl<'a> PathReader<'a> {
    /// Begins to read a path.
    pub fn new(path: &'a str) -> Self {
        PathReader { rest: path }
    }

    /// Goes past what stands around the values.
    pub fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// Reads a value. `next` is what follows it, or nothing at the end of the path.
    pub fn value(&mut self, next: &str) -> Option<String> {
        let end = match next.chars().next() {
            Some(first) => self.rest.find(first)?,
            None => self.rest.len(),
        };
        let (escaped, rest) = self.rest.split_at(end);
        self.rest = rest;
        let raw = unescape(escaped)?;
        // Only what we write ourselves is a path: "%41" is an "A" too.
        let mut canonical = String::new();
        escape(&raw, next, &mut canonical);
        (canonical == escaped).then_some(raw)
    }

    /// Tells whether the whole path was read.
    pub fn end(self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

/// What `encodeURIComponent` does, and the same to the first character of `next`.
fn escape(raw: &str, next: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let next = next.as_bytes().first();
    for &byte in raw.as_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
        if plain && Some(&byte) != next {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 0xf)]));
        }
    }
}

fn unescape(escaped: &str) -> Option<String> {
    let mut raw = Vec::new();
    let mut rest = escaped.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'%' {
            raw.push(byte);
            rest = behind;
            continue;
        }
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        let value = digit(0)? * 16 + digit(1)?;
        raw.push(u8::try_from(value).expect("two hexadecimal digits are a byte"));
        rest = &behind[2..];
    }
    String::from_utf8(raw).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(a: &str, between: &str, b: &str) -> String {
        let mut writer = PathWriter::new("/x-");
        writer.value(between, |out| out.push_str(a));
        writer.literal(between);
        writer.value("", |out| out.push_str(b));
        writer.end()
    }

    fn read(path: &str, between: &str) -> Option<(String, String)> {
        let mut reader = PathReader::new(path);
        reader.literal("/x-")?;
        let a = reader.value(between)?;
        reader.literal(between)?;
        let b = reader.value("")?;
        reader.end()?;
        Some((a, b))
    }

    #[test]
    fn values_are_written_as_javascript_does() {
        for (a, between, b, path) in [
            ("a", "/", "b", "/x-a/b"),
            ("a/b", "/", "c/d", "/x-a%2Fb/c%2Fd"),
            ("a-b", "-", "c-d", "/x-a%2Db-c-d"),
            ("", "/", "", "/x-/"),
            ("ä, ?", "é", "%", "/x-%C3%A4%2C%20%3Fé%25"),
        ] {
            assert_eq!(write(a, between, b), path);
            assert_eq!(read(path, between), Some((a.to_owned(), b.to_owned())));
        }
    }

    #[test]
    fn nothing_else_is_a_path() {
        for path in [
            "", "/x-", "/x-a", "/y-a/b", "/x-a/b/c", "/x-a b/c", "/x-%/c", "/x-%4/c", "/x-%41/c",
            "/x-%2f/c", "/x-%FF/c", "/x-%+1/c",
        ] {
            assert_eq!(read(path, "/"), None, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn values_come_back(a in ".*", b in ".*", between in "[-/a:é][a-z]{0,2}") {
            let path = write(&a, &between, &b);
            prop_assert!(!path.contains([',', '?']));
            prop_assert_eq!(read(&path, &between), Some((a, b)));
        }

        #[test]
        fn a_path_is_read_only_if_it_would_be_written(path in "/x-[-a%24DF/]{0,8}") {
            if let Some((a, b)) = read(&path, "-") {
                prop_assert_eq!(write(&a, "-", &b), path);
            }
        }
    }
}
