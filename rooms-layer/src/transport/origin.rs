use http::{HeaderMap, header};
use std::{fmt, str::FromStr};

/// Which pages may connect.
///
/// A browser lets any page open a WebSocket to any server and sends the cookies of that server along; CORS does not apply. What
/// keeps a foreign page out is this check of the `Origin` that the browser states. Programs state none, and pass.
///
/// A page that polls is checked alike, where it opens its session. To read the answers it also needs CORS headers, which are not
/// this layer's to set: put `tower-http`'s `CorsLayer` around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Pages of this server: those whose origin has the host and port that the request was sent to. The default. Behind a proxy
    /// that changes the `Host` header, list the public origin instead.
    #[default]
    Same,
    /// These origins, such as `https://app.example.com`, and no other. What is no origin is an error at start.
    List(Vec<String>),
    /// All pages of the web. For servers whose clients are not known by a cookie.
    Any,
}

impl Origins {
    /// Allows these origins.
    pub fn list<O: Into<String>>(origins: impl IntoIterator<Item = O>) -> Self {
        Self::List(origins.into_iter().map(Into::into).collect())
    }

    /// Whether every listed origin is one.
    pub(crate) fn is_valid(&self) -> bool {
        match self {
            Self::List(origins) => origins
                .iter()
                .all(|origin| Origin::from_str(origin).is_ok()),
            Self::Same | Self::Any => true,
        }
    }

    /// Whether a request may open a connection.
    pub(super) fn admit(&self, headers: &HeaderMap, authority: Option<&str>) -> bool {
        match stated(headers) {
            None => true,
            Some(origin) => self.admit_origin(origin, headers, authority),
        }
    }

    /// Whether a request may open a connection that script tags poll for. Those state no `Origin`, and any page can have them, so
    /// that it takes the `Referer` to tell where they are; where there is none, they may be anywhere.
    pub(super) fn admit_script(&self, headers: &HeaderMap, authority: Option<&str>) -> bool {
        let origin = stated(headers).unwrap_or_else(|| {
            let referer = headers.get(header::REFERER)?.to_str().ok()?;
            let (scheme, rest) = referer.split_once("://")?;
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            format!("{scheme}://{}", &rest[..end]).parse().ok()
        });
        self.admit_origin(origin, headers, authority)
    }

    /// `None` is an origin that is none.
    fn admit_origin(
        &self,
        origin: Option<Origin>,
        headers: &HeaderMap,
        authority: Option<&str>,
    ) -> bool {
        match (self, origin) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Same, Some(origin)) => {
                let host = headers.get(header::HOST).map(|host| host.to_str().ok());
                let host = host.unwrap_or(authority);
                host.is_some_and(|host| origin.is_at(host))
            }
            (Self::List(origins), Some(origin)) => origins
                .iter()
                .any(|allowed| allowed.parse() == Ok(origin.clone())),
        }
    }
}

/// The `Origin` of a request; `Some(None)` where it is none: two of them, or the `null` of a page without an origin.
fn stated(headers: &HeaderMap) -> Option<Option<Origin>> {
    let mut stated = headers.get_all(header::ORIGIN).iter();
    let origin = stated.next()?.to_str().ok();
    let is_one = stated.next().is_none();
    Some(origin.filter(|_| is_one).and_then(|text| text.parse().ok()))
}

/// A scheme, host and port (RFC 6454), written as browsers write it: in lower case, without a default port.
#[derive(Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    /// With the port, unless it is the scheme's own.
    authority: String,
}

impl Origin {
    /// Whether a `Host` header names the same place.
    fn is_at(&self, host: &str) -> bool {
        self.authority == without_default_port(&self.scheme, host)
    }
}

impl FromStr for Origin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NoOrigin)?;
        let is_scheme =
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_authority = !authority.is_empty()
            && authority.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
            });
        if !is_scheme || !is_authority {
            return Err(NoOrigin);
        }
        let scheme = scheme.to_ascii_lowercase();
        let authority = without_default_port(&scheme, authority);
        Ok(Self { scheme, authority })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct NoOrigin;

fn without_default_port(scheme: &str, authority: &str) -> String {
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = authority.strip_suffix(default).unwrap_or(authority);
    host.to_ascii_lowercase()
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origins: &Origins, host: Option<&str>, stated: &[&str], admitted: bool) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        for origin in stated {
            headers.append(header::ORIGIN, origin.parse().unwrap());
        }
        let answer = origins.admit(&headers, None);
        assert_eq!(answer, admitted, "{origins:?}, {host:?}, {stated:?}");
    }

    #[test]
    fn pages_of_the_server_itself_may_connect() {
        let cases = [
            ("example.com", "http://example.com", true),
            ("example.com", "https://example.com", true),
            ("example.com:443", "https://example.com", true),
            ("example.com", "https://example.com:443", true),
            ("Example.COM", "https://example.com", true),
            ("localhost:3000", "http://localhost:3000", true),
            ("127.0.0.1:3000", "http://127.0.0.1:3000", true),
            ("[::1]:3000", "http://[::1]:3000", true),
            ("example.com:80", "https://example.com", false),
            ("example.com", "http://example.com:8080", false),
            ("localhost:3000", "http://localhost:3001", false),
            ("localhost:3000", "http://127.0.0.1:3000", false),
            ("example.com", "https://evil-example.com", false),
            ("example.com", "https://example.com.evil.net", false),
            ("example.com", "https://evil.net/example.com", false),
            ("example.com", "https://evil.net#example.com", false),
            ("example.com", "https://user@example.com", false),
            ("example.com", "https://sub.example.com", false),
            ("example.com", "https://example.com.", false),
            ("example.com", "https://xn--exmple-cua.com", false),
            ("example.com", "null", false),
            ("example.com", "", false),
            ("example.com", "example.com", false),
            ("example.com", "://example.com", false),
        ];
        for (host, origin, admitted) in cases {
            check(&Origins::Same, Some(host), &[origin], admitted);
        }
        check(&Origins::Same, Some("example.com"), &[], true);
        check(&Origins::Same, None, &["https://example.com"], false);
        let twice = ["https://example.com", "https://example.com"];
        check(&Origins::Same, Some("example.com"), &twice, false);
    }

    #[test]
    fn listed_pages_may_connect_and_no_other() {
        let list = Origins::list(["https://app.example.com", "http://localhost:5173"]);
        assert!(list.is_valid());
        let cases = [
            ("https://app.example.com", true),
            ("https://app.example.com:443", true),
            ("http://localhost:5173", true),
            ("http://app.example.com", false),
            ("https://example.com", false),
            ("https://app.example.com.evil.net", false),
            ("null", false),
        ];
        for (origin, admitted) in cases {
            check(&list, Some("api.example.com"), &[origin], admitted);
        }
        // The list replaces the default.
        check(
            &list,
            Some("api.example.com"),
            &["https://api.example.com"],
            false,
        );
        check(&list, Some("api.example.com"), &[], true);
    }

    #[test]
    fn any_is_any() {
        for stated in [&[][..], &["null"], &["https://a.com", "https://b.com"]] {
            check(&Origins::Any, Some("example.com"), stated, true);
        }
    }

    #[test]
    fn script_tags_are_where_their_page_is() {
        let list = Origins::list(["https://app.example.com"]);
        let cases = [
            (&Origins::Same, "https://example.com/a?b#c", true),
            (&Origins::Same, "https://example.com", true),
            (&Origins::Same, "https://example.com?b", true),
            (
                &Origins::Same,
                "https://evil.net/https://example.com/",
                false,
            ),
            (&Origins::Same, "https://evil.net?://example.com/", false),
            (&Origins::Same, "https://user@example.com/", false),
            (&Origins::Same, "/relative", false),
            (&Origins::Same, "", false),
            (&list, "https://app.example.com/page", true),
            (&list, "https://example.com/", false),
            (&Origins::Any, "https://evil.net/", true),
        ];
        for (origins, referer, admitted) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "example.com".parse().unwrap());
            headers.insert(header::REFERER, referer.parse().unwrap());
            assert_eq!(origins.admit_script(&headers, None), admitted, "{referer}");
            // A page that states its origin is where it says.
            for origin in ["https://evil.net", "null"] {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
                let is_any = *origins == Origins::Any;
                assert_eq!(origins.admit_script(&headers, None), is_any, "{referer}");
            }
        }
        // A page may keep its place to itself, and then it may be any.
        let silent = HeaderMap::new();
        assert!(!Origins::Same.admit_script(&silent, Some("example.com")));
        assert!(!list.admit_script(&silent, None));
        assert!(Origins::Any.admit_script(&silent, None));
    }

    #[test]
    fn what_is_no_origin_is_not_listed() {
        for origin in [
            "example.com",
            "https://example.com/",
            "https://*.example.com",
            "*",
            "",
        ] {
            assert!(!Origins::list([origin]).is_valid(), "{origin:?}");
        }
    }
}
