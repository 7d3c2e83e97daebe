//! Cellar: what is kept of the HTTP request that opened a connection.

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri};
use std::{fmt, net::SocketAddr, time::SystemTime};

/// What is kept of the HTTP request that opened a connection, for as long as the connection lives.
///
/// The headers are kept as one block of text: most connections never look at them again, and a map of them would be the
/// largest part of an idle connection.
pub struct HandshakeInfo {
    uri: Box<str>,
    /// `name: value\r\n` for each header; neither can contain a line break.
    head: Box<[u8]>,
    remote: Option<SocketAddr>,
    issued: SystemTime,
    /// Those that the application wants kept.
    extensions: Option<Box<Extensions>>,
}

/// Which extensions of requests are kept: those that [`Config::keep_extension`](crate::Config::keep_extension) names.
#[derive(Debug, Clone, Default)]
pub struct KeptExtensions(Vec<fn(&Extensions, &mut Extensions)>);

impl KeptExtensions {
    pub(crate) fn keep<T: Clone + Send + Sync + 'static>(&mut self) {
        self.0.push(|from, to| {
            if let Some(extension) = from.get::<T>() {
                to.insert(extension.clone());
            }
        });
    }

    fn of(&self, request: &Extensions) -> Option<Box<Extensions>> {
        let mut kept = Extensions::new();
        self.0.iter().for_each(|keep| keep(request, &mut kept));
        (!kept.is_empty()).then(|| Box::new(kept))
    }
}

impl HandshakeInfo {
    pub(crate) fn new(uri: &Uri, headers: &HeaderMap) -> Self {
        // To the byte, since it is kept: four for the colon, the space and the line break.
        let length =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        let mut head = Vec::with_capacity(headers.iter().map(length).sum());
        for (name, value) in headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        Self {
            uri: uri.path_and_query().map_or("/", |uri| uri.as_str()).into(),
            head: head.into_boxed_slice(),
            remote: None,
            issued: SystemTime::now(),
            extensions: None,
        }
    }

    /// Adds the extensions that are to be kept.
    pub(crate) fn with_extensions(mut self, request: &Extensions, kept: &KeptExtensions) -> Self {
        self.extensions = kept.of(request);
        self
    }

    /// Adds the address at the other end.
    pub(crate) fn with_remote(mut self, remote: Option<SocketAddr>) -> Self {
        self.remote = remote;
        self
    }

    /// Returns the path and query of the request.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns the query of the request, not decoded; empty if there was none.
    pub fn query(&self) -> &str {
        self.uri.split_once('?').map_or("", |(_, query)| query)
    }

    /// Returns the first value of a header. The name is given in lower case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.lines()
            .find(|(known, _)| *known == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// Returns the headers of the request, put together anew.
    pub fn headers(&self) -> HeaderMap {
        self.lines()
            .filter_map(|(name, value)| {
                Some((
                    HeaderName::from_bytes(name).ok()?,
                    HeaderValue::from_bytes(value).ok()?,
                ))
            })
            .collect()
    }

    /// Returns the address at the other end of the connection, which may be that of a proxy. `None` where the connection is
    /// no plain TCP stream and whoever accepted it did not say.
    pub fn remote(&self) -> Option<SocketAddr> {
        self.remote
    }

    /// Returns when the connection was opened.
    pub fn issued(&self) -> SystemTime {
        self.issued
    }

    /// Returns an extension of the request that [`Config::keep_extension`](crate::Config::keep_extension) names.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.as_ref()?.get()
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.head[..];
        std::iter::from_fn(move || {
            let end = memchr::memmem::find(rest, b"\r\n")?;
            let line = &rest[..end];
            rest = &rest[end + 2..];
            let colon = memchr::memchr(b':', line)?;
            Some((&line[..colon], &line[colon + 2..]))
        })
    }
}

/// Leaves the headers out: credentials do not belong in logs.
impl fmt::Debug for HandshakeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeInfo")
            .field("uri", &self.uri)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_being_kept_as_text() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("a=1; b=x: y"));
        headers.append("x-many", HeaderValue::from_static("1"));
        headers.append("x-many", HeaderValue::from_static(""));
        headers.insert(
            "x-bytes",
            HeaderValue::from_bytes(&[0xff, b':', b' ']).expect("opaque bytes are legal"),
        );
        let uri = "/socket.io/?EIO=4&transport=websocket"
            .parse()
            .expect("a uri");
        let info = HandshakeInfo::new(&uri, &headers);
        assert_eq!(info.headers(), headers);
        assert_eq!(info.header("cookie"), Some(&b"a=1; b=x: y"[..]));
        assert_eq!(info.header("absent"), None);
        assert_eq!(info.query(), "EIO=4&transport=websocket");
    }
}
