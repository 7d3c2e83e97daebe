use super::Refused;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version, header, request::Parts};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A WebSocket handshake that we accept.
#[derive(Debug)]
pub(super) enum Handshake {
    /// Over HTTP/1.1: the answer to its key.
    Upgrade { accept: String },
    /// Over HTTP/2: the stream of the request becomes the connection (RFC 8441).
    Connect,
}

/// Whether a request asks for a WebSocket over HTTP/2 (RFC 8441, section 5).
#[cfg(feature = "http2")]
pub(super) fn is_extended_connect(request: &Parts) -> bool {
    let protocol = request.extensions.get::<hyper::ext::Protocol>();
    request.version == Version::HTTP_2
        && request.method == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

#[cfg(not(feature = "http2"))]
pub(super) fn is_extended_connect(_: &Parts) -> bool {
    false
}

/// Whether a request asks to leave HTTP/1.1 for WebSocket. In HTTP/2 nobody can (RFC 9113, section 8.6).
fn is_upgrade(request: &Parts) -> bool {
    let headers = &request.headers;
    request.method == Method::GET
        && request.version == Version::HTTP_11
        && lists(headers, header::CONNECTION, "upgrade")
        && lists(headers, header::UPGRADE, "websocket")
}

/// Checks what RFC 6455 asks of a handshake (section 4.2.1), and RFC 8441 of one without a key.
pub(super) fn handshake(request: &Parts) -> Result<Handshake, Refused> {
    let is_connect = is_extended_connect(request);
    if !is_connect && !is_upgrade(request) {
        return Err(Refused::NotAnUpgrade);
    }
    let headers = &request.headers;
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&HeaderValue::from_static("13")) {
        return Err(Refused::BadWebSocketVersion);
    }
    if is_connect {
        return Ok(Handshake::Connect);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()))
        .ok_or(Refused::BadWebSocketKey)?;
    Ok(Handshake::Upgrade {
        accept: derive_accept_key(key.as_bytes()),
    })
}

/// The answer after which the connection speaks WebSocket.
pub(super) fn switched<B: Default>(handshake: &Handshake) -> Response<B> {
    let mut response = Response::new(B::default());
    let Handshake::Upgrade { accept } = handshake else {
        return response;
    };
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(accept).expect("base64 is a header value");
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
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
    use http::Request;

    #[test]
    fn the_key_is_answered() {
        // The example of RFC 6455, section 1.3.
        let request = Request::get("/")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let (request, ()) = request.body(()).expect("a request").into_parts();
        let handshake = handshake(&request).expect("a valid handshake");
        let response: Response<()> = switched(&handshake);
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(
            response.headers()[header::SEC_WEBSOCKET_ACCEPT],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    /// A 2xx answers CONNECT, and no header of the upgrade has a meaning there (RFC 8441, section 5).
    #[test]
    fn a_stream_of_http_2_is_answered_with_200() {
        let response: Response<()> = switched(&Handshake::Connect);
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.headers().is_empty());
    }
}
