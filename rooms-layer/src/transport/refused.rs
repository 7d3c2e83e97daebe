use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

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
    OtherTransport,
    #[error("Bad request")]
    OtherProtocol,
    #[error("Bad request")]
    BadWebSocketVersion,
    #[error("Bad request")]
    BadWebSocketKey,
    #[error("Bad request")]
    BadCallback,
    #[error("Forbidden")]
    ForeignOrigin,
    #[error("Unsupported protocol version")]
    UnsupportedProtocol,
    /// A session is spoken to with GET and POST.
    #[error("unknown method")]
    UnknownMethod,
    /// The server in front of the layer can't hand its connections over.
    #[error("this server does not upgrade connections")]
    NoUpgrade,
}

impl Refused {
    fn status(self) -> StatusCode {
        match self {
            Self::NoUpgrade => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownMethod => StatusCode::INTERNAL_SERVER_ERROR,
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
            Self::TransportUnknown => "the query names no transport that this server has",
            Self::SessionUnknown => "no session with this `sid` is open on this server",
            Self::BadMethod => "a handshake is a GET request",
            Self::NotAnUpgrade => "`transport=websocket` without the headers of an upgrade",
            Self::OtherTransport => "the session has changed to another transport",
            Self::OtherProtocol => "the session was opened with another `EIO`",
            Self::BadWebSocketVersion => "`Sec-WebSocket-Version` is not 13",
            Self::BadWebSocketKey => "`Sec-WebSocket-Key` is not 16 bytes in base64",
            Self::ForeignOrigin => {
                "a page of another origin: allow it with `Config::origins`, if it is yours"
            }
            Self::BadCallback => "`j` is not the number of a function of the page",
            Self::UnsupportedProtocol => {
                "the query has no `EIO=4`: clients of Socket.IO 1 and 2 need `Config::allow_eio3`"
            }
            Self::UnknownMethod => "a session takes GET and POST",
            Self::NoUpgrade => {
                "the HTTP server does not offer upgrades to its services: with hyper call `.with_upgrades()` \
                 (http1) or `serve_connection_with_upgrades` (auto), or hand upgraded streams to `RoomsLayer::accept`"
            }
        }
    }

    pub(crate) fn response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body().into());
        *response.status_mut() = self.status();
        if self == Self::UnknownMethod {
            return response;
        }
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

    fn body(self) -> String {
        match self {
            // As on Node, without a word.
            Self::UnknownMethod => String::new(),
            _ => format!(r#"{{"code":{},"message":"{self}"}}"#, self.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_carry_the_code_clients_know() {
        let cases = [
            (
                Refused::TransportUnknown,
                400,
                r#"{"code":0,"message":"Transport unknown"}"#,
            ),
            (
                Refused::SessionUnknown,
                400,
                r#"{"code":1,"message":"Session ID unknown"}"#,
            ),
            (
                Refused::BadMethod,
                400,
                r#"{"code":2,"message":"Bad handshake method"}"#,
            ),
            (
                Refused::OtherTransport,
                400,
                r#"{"code":3,"message":"Bad request"}"#,
            ),
            (
                Refused::OtherProtocol,
                400,
                r#"{"code":3,"message":"Bad request"}"#,
            ),
            (
                Refused::BadCallback,
                400,
                r#"{"code":3,"message":"Bad request"}"#,
            ),
            (
                Refused::BadWebSocketVersion,
                426,
                r#"{"code":3,"message":"Bad request"}"#,
            ),
            (
                Refused::ForeignOrigin,
                403,
                r#"{"code":4,"message":"Forbidden"}"#,
            ),
            (
                Refused::UnsupportedProtocol,
                400,
                r#"{"code":5,"message":"Unsupported protocol version"}"#,
            ),
            (Refused::UnknownMethod, 500, ""),
        ];
        for (refused, status, body) in cases {
            let response = refused.response();
            assert_eq!(response.status(), status, "{refused:?}");
            assert_eq!(response.body(), body, "{refused:?}");
            let json = response.headers().get(header::CONTENT_TYPE);
            assert_eq!(json.is_some(), !body.is_empty(), "{refused:?}");
        }
    }
}
