use super::Origins;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A WebSocket handshake that we accept: the answer to its key.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: String,
}

/// Why a request on our path does not become a connection. The first ones are Engine.IO's own errors, which clients
/// understand by their code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Transport unknown")]
    TransportUnknown,
    #[error("Session ID unknown")]
    SessionUnknown,
    #[error("Bad handshake method")]
    BadMethod,
    #[error("Bad request")]
    NotAnUpgrade,
    #[error("Bad request")]
    BadWebSocketVersion,
    #[error("Bad request")]
    BadWebSocketKey,
    #[error("Forbidden")]
    ForeignOrigin,
    #[error("Unsupported protocol version")]
    UnsupportedProtocol,
    /// The server in front of the layer can't hand its connections over.
    #[error("this server does not upgrade connections")]
    NoUpgrade,
}

impl Refused {
    fn status(self) -> StatusCode {
        match self {
            Self::NoUpgrade => StatusCode::NOT_IMPLEMENTED,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::BadWebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The error codes of Engine.IO.
    fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadMethod => 2,
            Self::ForeignOrigin => 4,
            Self::UnsupportedProtocol => 5,
            _ => 3,
        }
    }

    /// What an operator should know beyond what the client is told.
    pub(crate) fn explain(self) -> &'static str {
        match self {
            Self::TransportUnknown => "the query has no `transport=websocket`",
            Self::SessionUnknown => "no session with this `sid` is open on this server",
            Self::BadMethod => "a handshake is a GET request",
            Self::NotAnUpgrade => "`transport=websocket` without the headers of an upgrade",
            Self::BadWebSocketVersion => "`Sec-WebSocket-Version` is not 13",
            Self::BadWebSocketKey => "`Sec-WebSocket-Key` is not 16 bytes in base64",
            Self::ForeignOrigin => {
                "a page of another origin: allow it with `Config::origins`, if it is yours"
            }
            Self::UnsupportedProtocol => "the query has no `EIO=4`",
            Self::NoUpgrade => {
                "the HTTP server does not offer upgrades to its services: with hyper call `.with_upgrades()` \
                 (http1) or `serve_connection_with_upgrades` (auto), or hand upgraded streams to `RoomsLayer::accept`"
            }
        }
    }

    pub(crate) fn response<B: From<String>>(self) -> Response<B> {
        let body = format!(r#"{{"code":{},"message":"{self}"}}"#, self.code());
        let mut response = Response::new(B::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if self == Self::BadWebSocketVersion {
            // RFC 6455, section 4.4.
            headers.insert(
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            );
        }
        response
    }
}

/// Decides whether a request on our path opens a connection, in Engine.IO's order of checks.
pub(crate) fn inspect<B>(request: &Request<B>, origins: &Origins) -> Result<Handshake, Refused> {
    let query = request.uri().query().unwrap_or("");
    if parameter(query, "transport") != Some("websocket") {
        return Err(Refused::TransportUnknown);
    }
    if parameter(query, "sid").is_some() {
        return Err(Refused::SessionUnknown);
    }
    if request.method() != Method::GET {
        return Err(Refused::BadMethod);
    }
    let headers = request.headers();
    if request.version() < Version::HTTP_11
        || !lists(headers, header::CONNECTION, "upgrade")
        || !lists(headers, header::UPGRADE, "websocket")
    {
        return Err(Refused::NotAnUpgrade);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&HeaderValue::from_static("13")) {
        return Err(Refused::BadWebSocketVersion);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()))
        .ok_or(Refused::BadWebSocketKey)?;
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    if !origins.admit(headers, authority) {
        return Err(Refused::ForeignOrigin);
    }
    if parameter(query, "EIO") != Some("4") {
        return Err(Refused::UnsupportedProtocol);
    }
    Ok(Handshake {
        accept: derive_accept_key(key.as_bytes()),
    })
}

/// The answer after which the connection speaks WebSocket.
pub(crate) fn switching_protocols<B: Default>(handshake: &Handshake) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(&handshake.accept).expect("base64 is a header value");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// The value of a query parameter; of several with that name the last one, as in Node. None of ours needs decoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('=').or(Some((pair, ""))))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .next_back()
}

/// Whether a comma separated header lists a token, in any case and any of its lines.
fn lists(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value
            .as_bytes()
            .split(|&byte| byte == b',')
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

/// Whether this can be the base64 form of 16 bytes.
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn request(uri: &str) -> http::request::Builder {
        Request::get(uri)
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", KEY)
    }

    fn check(request: http::request::Builder, expected: Result<(), Refused>) {
        let request = request.body(()).expect("a valid request");
        let result = inspect(&request, &Origins::default()).map(drop);
        assert_eq!(result, expected, "{} {}", request.method(), request.uri());
    }

    #[test]
    fn requests_are_inspected() {
        let ok = "/socket.io/?EIO=4&transport=websocket";
        check(request(ok), Ok(()));
        check(request("/?transport=x&EIO=4&transport=websocket"), Ok(()));
        check(request("/?EIO=4"), Err(Refused::TransportUnknown));
        check(
            request("/?EIO=4&transport=polling"),
            Err(Refused::TransportUnknown),
        );
        check(
            request("/?EIO=4&transport=__proto__"),
            Err(Refused::TransportUnknown),
        );
        check(
            request("/?EIO=4&transport=websocket&sid=x"),
            Err(Refused::SessionUnknown),
        );
        check(request(ok).method(Method::POST), Err(Refused::BadMethod));
        check(
            request("/?transport=websocket"),
            Err(Refused::UnsupportedProtocol),
        );
        check(
            request("/?EIO=3&transport=websocket"),
            Err(Refused::UnsupportedProtocol),
        );
        check(Request::get(ok), Err(Refused::NotAnUpgrade));
        check(
            request(ok).version(Version::HTTP_10),
            Err(Refused::NotAnUpgrade),
        );
    }

    #[test]
    fn origins_are_inspected() {
        let uri = "/?EIO=4&transport=websocket";
        let from = |origin| {
            request(uri)
                .header("host", "a.com")
                .header("origin", origin)
        };
        check(from("https://a.com"), Ok(()));
        check(from("https://b.com"), Err(Refused::ForeignOrigin));
        let response: Response<String> = Refused::ForeignOrigin.response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.body(), r#"{"code":4,"message":"Forbidden"}"#);
    }

    #[test]
    fn websocket_headers_are_inspected() {
        let with = |name: &str, value: &str| {
            let mut builder = Request::get("/?EIO=4&transport=websocket");
            for (known, default) in [
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", KEY),
            ] {
                builder = builder.header(known, if known == name { value } else { default });
            }
            builder
        };
        check(with("upgrade", "h2c"), Err(Refused::NotAnUpgrade));
        check(with("connection", "close"), Err(Refused::NotAnUpgrade));
        check(
            with("sec-websocket-version", "8"),
            Err(Refused::BadWebSocketVersion),
        );
        for key in [
            "",
            "short",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ!==",
        ] {
            check(
                with("sec-websocket-key", key),
                Err(Refused::BadWebSocketKey),
            );
        }
    }

    #[test]
    fn the_key_is_answered() {
        // The example of RFC 6455, section 1.3.
        let request = request("/?EIO=4&transport=websocket")
            .body(())
            .expect("a valid request");
        let handshake = inspect(&request, &Origins::default()).expect("a valid handshake");
        assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let response: Response<()> = switching_protocols(&handshake);
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    }

    #[test]
    fn refusals_carry_the_code_clients_know() {
        let response: Response<String> = Refused::UnsupportedProtocol.response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            response.body(),
            r#"{"code":5,"message":"Unsupported protocol version"}"#
        );
    }
}
