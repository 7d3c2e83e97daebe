use http::{HeaderMap, header, request::Parts};
use std::{borrow::Cow, fmt, future::Future, pin::Pin, sync::Arc};

/// What the application decides about handshakes and adds to answers. See [`HttpConfig`](super::HttpConfig).
#[derive(Clone, Default)]
pub(super) struct Hooks {
    allow: Option<Arc<Allow>>,
    generate_id: Option<Arc<GenerateId>>,
    initial_headers: Option<Arc<AddHeaders>>,
    headers: Option<Arc<AddHeaders>>,
}

/// What `allow_request` has still to say.
pub(super) type Decision = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;

type Allow = dyn Fn(&Parts) -> Decision + Send + Sync;
type GenerateId = dyn Fn(&Parts) -> String + Send + Sync;
type AddHeaders = dyn Fn(&Parts, &mut HeaderMap) + Send + Sync;

/// A handshake that the application does not want: see [`HttpConfig::allow_request`](super::HttpConfig::allow_request).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    message: Cow<'static, str>,
}

impl Refusal {
    /// Refuses with a message, which the client can read in the body of the response.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { message }
    }
}

/// Without a message of its own: `Forbidden`.
impl Default for Refusal {
    fn default() -> Self {
        Self::new("Forbidden")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}

impl Hooks {
    pub(super) fn set_allow<F, Fut>(&mut self, decide: F)
    where
        F: Fn(&Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.allow = Some(Arc::new(move |head| Box::pin(decide(head))));
    }

    pub(super) fn set_generate_id(
        &mut self,
        generate: impl Fn(&Parts) -> String + Send + Sync + 'static,
    ) {
        self.generate_id = Some(Arc::new(generate));
    }

    pub(super) fn set_initial_headers(
        &mut self,
        add: impl Fn(&Parts, &mut HeaderMap) + Send + Sync + 'static,
    ) {
        self.initial_headers = Some(Arc::new(add));
    }

    pub(super) fn set_headers(
        &mut self,
        add: impl Fn(&Parts, &mut HeaderMap) + Send + Sync + 'static,
    ) {
        self.headers = Some(Arc::new(add));
    }

    /// Asks whether a handshake is wanted. `None` where nobody is to be asked.
    pub(super) fn allow(&self, head: &Parts) -> Option<Decision> {
        self.allow.as_ref().map(|allow| allow(head))
    }

    /// The id of a new session, where it is the application's to make.
    pub(super) fn id(&self, head: &Parts) -> Option<String> {
        self.generate_id.as_ref().map(|generate| generate(head))
    }

    /// What the first response of a session carries besides.
    pub(super) fn initial_headers(&self, head: &Parts) -> Option<Box<HeaderMap>> {
        added(self.initial_headers.as_deref(), head)
    }

    /// What every response carries besides.
    pub(super) fn headers(&self, head: &Parts) -> Option<Box<HeaderMap>> {
        added(self.headers.as_deref(), head)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("allow", &self.allow.is_some())
            .field("generate_id", &self.generate_id.is_some())
            .field("initial_headers", &self.initial_headers.is_some())
            .field("headers", &self.headers.is_some())
            .finish()
    }
}

/// In a box, since a map of headers is larger than all else in an answer, and few have one.
fn added(hook: Option<&AddHeaders>, head: &Parts) -> Option<Box<HeaderMap>> {
    let mut headers = HeaderMap::new();
    hook?(head, &mut headers);
    Some(Box::new(headers))
}

/// Puts headers into a response: in place of those of the same name, but for cookies, of which there may be several.
pub(super) fn put(headers: &mut HeaderMap, added: Option<Box<HeaderMap>>) {
    let mut current = None;
    for (name, value) in added.into_iter().flat_map(|added| *added) {
        if let Some(name) = name {
            if name != header::SET_COOKIE {
                headers.remove(&name);
            }
            current = Some(name);
        }
        if let Some(name) = &current {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn headers_replace_their_like_and_cookies_add_up() {
        let mut headers = map(&[("a", "1"), ("b", "1"), ("set-cookie", "x=1")]);
        let added = map(&[("b", "2"), ("b", "3"), ("c", "4"), ("set-cookie", "y=2")]);
        put(&mut headers, Some(Box::new(added)));
        let expected = map(&[
            ("a", "1"),
            ("set-cookie", "x=1"),
            ("set-cookie", "y=2"),
            ("b", "2"),
            ("b", "3"),
            ("c", "4"),
        ]);
        assert_eq!(headers, expected);
    }
}
