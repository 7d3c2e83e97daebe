use super::Refused;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header, request::Parts};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A WebSocket handshake that we accept: the answer to its key.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: String,
}

/// Whether a request asks to leave HTTP for WebSocket.
pub(super) fn is_upgrade(request: &Parts) -> bool {
    let headers = &request.headers;
    request.version >= Version::HTTP_11
        && lists(headers, header::CONNECTION, "upgrade")
        && lists(headers, header::UPGRADE, "websocket")
}

/// Checks what RFC 6455 asks of an upgrade (section 4.2.1).
pub(super) fn handshake(headers: &HeaderMap) -> Result<Handshake, Refused> {
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&HeaderValue::from_static("13")) {
        return Err(Refused::BadWebSocketVersion);
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()))
        .ok_or(Refused::BadWebSocketKey)?;
    Ok(Handshake {
        accept: derive_accept_key(key.as_bytes()),
    })
}

/// The answer after which the connection speaks WebSocket.
pub(super) fn switched<B: Default>(handshake: &Handshake) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    let accept = HeaderValue::from_str(&handshake.accept).expect("base64 is a header value");
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

    #[test]
    fn the_key_is_answered() {
        // The example of RFC 6455, section 1.3.
        let headers = HeaderMap::from_iter([
            (
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            ),
            (
                header::SEC_WEBSOCKET_KEY,
                HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="),
            ),
        ]);
        let handshake = handshake(&headers).expect("a valid handshake");
        assert_eq!(handshake.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let response: Response<()> = switched(&handshake);
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    }
}
