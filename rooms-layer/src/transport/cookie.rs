use http::HeaderValue;
use std::time::Duration;

/// The cookie with the session id that the handshake of a client that polls sets, for load balancers that go by one (RFC 6265).
/// A handshake by WebSocket sets none, as on Node: it needs no other request to reach the same server.
///
/// ```
/// # use rooms_layer::{HandshakeCookie, HttpConfig};
/// let mut cookie = HandshakeCookie::default();
/// cookie.name = "node".to_owned();
/// cookie.secure = true;
/// HttpConfig::default().cookie(cookie);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeCookie {
    /// Its name. Default `io`.
    pub name: String,
    /// The path of the requests that it comes back with. Default `/`.
    pub path: String,
    /// The domain of the requests that it comes back with. Default: this host alone.
    pub domain: Option<String>,
    /// How long it is kept, in whole seconds. Default: until the browser is closed.
    pub max_age: Option<Duration>,
    /// Whether pages can't read it. Default: they can't.
    pub http_only: bool,
    /// Whether it travels over HTTPS only. Default: no.
    pub secure: bool,
    /// Which pages it comes back from. Default [`SameSite::Lax`].
    pub same_site: SameSite,
}

/// Which pages a cookie comes back from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Those of the same site.
    Strict,
    /// Those of the same site, and wherever a link leads here.
    #[default]
    Lax,
    /// All. Browsers ask that such a cookie be [`secure`](HandshakeCookie::secure).
    None,
}

impl Default for HandshakeCookie {
    fn default() -> Self {
        Self {
            name: "io".to_owned(),
            path: "/".to_owned(),
            domain: None,
            max_age: None,
            http_only: true,
            secure: false,
            same_site: SameSite::Lax,
        }
    }
}

impl HandshakeCookie {
    /// The value of `Set-Cookie` for a session.
    pub(super) fn header(&self, sid: &str) -> HeaderValue {
        let mut text = format!("{}={sid}; Path={}", self.name, self.path);
        if let Some(domain) = &self.domain {
            text += "; Domain=";
            text += domain;
        }
        if let Some(age) = self.max_age {
            text += &format!("; Max-Age={}", age.as_secs());
        }
        if self.http_only {
            text += "; HttpOnly";
        }
        if self.secure {
            text += "; Secure";
        }
        text += match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        };
        HeaderValue::from_str(&text).expect("a cookie is checked when the server starts")
    }

    /// What can't work, in words that name the setting.
    pub(super) fn problem(&self) -> Option<&'static str> {
        // What RFC 6265 calls a token, and an attribute's value (section 4.1.1).
        let is_token = |text: &str| {
            let fits =
                |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
            !text.is_empty() && text.bytes().all(fits)
        };
        let is_value = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_graphic() && byte != b';';
            !text.is_empty() && text.bytes().all(fits)
        };
        if !is_token(&self.name) {
            return Some("`cookie.name` is not the name of a cookie, such as `io`");
        }
        if !self.path.starts_with('/') || !is_value(&self.path) {
            return Some("`cookie.path` must begin with a slash, without blanks and semicolons");
        }
        if self
            .domain
            .as_deref()
            .is_some_and(|domain| !is_value(domain))
        {
            return Some("`cookie.domain` is not a domain");
        }
        if self.same_site == SameSite::None && !self.secure {
            return Some(
                "a `cookie` with `SameSite::None` must be `secure`: browsers drop it otherwise",
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_written() {
        let default = HandshakeCookie::default();
        assert_eq!(default.header("x"), "io=x; Path=/; HttpOnly; SameSite=Lax");
        let all = HandshakeCookie {
            name: "node".to_owned(),
            path: "/live".to_owned(),
            domain: Some("example.com".to_owned()),
            max_age: Some(Duration::from_millis(61_500)),
            http_only: false,
            secure: true,
            same_site: SameSite::None,
        };
        assert_eq!(
            all.header("x"),
            "node=x; Path=/live; Domain=example.com; Max-Age=61; Secure; SameSite=None"
        );
        let strict = HandshakeCookie {
            same_site: SameSite::Strict,
            ..default
        };
        assert_eq!(
            strict.header("x"),
            "io=x; Path=/; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn what_browsers_would_drop_is_a_problem_at_start() {
        fn problem(change: impl FnOnce(&mut HandshakeCookie)) -> Option<&'static str> {
            let mut cookie = HandshakeCookie::default();
            change(&mut cookie);
            cookie.problem()
        }
        assert_eq!(problem(|_| {}), None);
        for name in ["", "a b", "a=b", "é", "a\n"] {
            let problem = problem(|cookie| cookie.name = name.to_owned());
            assert!(
                problem.expect("a problem").contains("cookie.name"),
                "{name:?}"
            );
        }
        for path in ["", "live", "/a;b", "/a\r\nb", "/é"] {
            let problem = problem(|cookie| cookie.path = path.to_owned());
            assert!(
                problem.expect("a problem").contains("cookie.path"),
                "{path:?}"
            );
        }
        for domain in ["", "a;b", "a\nb"] {
            let problem = problem(|cookie| cookie.domain = Some(domain.to_owned()));
            assert!(
                problem.expect("a problem").contains("cookie.domain"),
                "{domain:?}"
            );
        }
        let none = problem(|cookie| cookie.same_site = SameSite::None);
        assert!(none.expect("a problem").contains("secure"));
    }
}
