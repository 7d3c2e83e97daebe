use super::Refusal;
use crate::engine::BadId;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Why a request on our path does not become a connection. The first ones are Engine.IO's own errors, which clients
/// understand by their code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Transport unknown")]
    TransportUnknown,
    #[error("Session ID unknown")]
    SessionUnknown,
    /// The same, of an id that another server may have made.
    #[error("Session ID unknown")]
    SessionElsewhere,
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
    #[error("{0}")]
    ByApplication(Refusal),
    /// The application has made an id that can't be had.
    #[error("Bad request")]
    BadId(BadId),
    #[error("Unsupported protocol version")]
    UnsupportedProtocol,
    /// A session is spoken to with GET and POST.
    #[error("unknown method")]
    UnknownMethod,
    /// As many handshakes as may be are under way.
    #[error("too many handshakes under way, try again")]
    TooManyHandshakes,
    /// The server in front of the layer can't hand its connections over.
    #[error("this server does not upgrade connections")]
    NoUpgrade,
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoUpgrade => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownMethod => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ForeignOrigin | Self::ByApplication(_) => StatusCode::FORBIDDEN,
            Self::TooManyHandshakes => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadWebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The error codes of Engine.IO.
    fn code(&self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown | Self::SessionElsewhere => 1,
            Self::BadMethod => 2,
            Self::ForeignOrigin | Self::ByApplication(_) => 4,
            Self::UnsupportedProtocol => 5,
            _ => 3,
        }
    }

    /// Its name in counts of what was refused.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::TransportUnknown => "transport_unknown",
            Self::SessionUnknown => "session_unknown",
            Self::SessionElsewhere => "session_elsewhere",
            Self::BadMethod | Self::UnknownMethod => "bad_method",
            Self::NotAnUpgrade | Self::BadWebSocketVersion | Self::BadWebSocketKey => "bad_upgrade",
            Self::BadCallback => "bad_callback",
            Self::ByApplication(_) => "by_application",
            Self::BadId(_) => "bad_id",
            Self::TooManyHandshakes => "too_many_handshakes",
            Self::OtherTransport => "other_transport",
            Self::OtherProtocol | Self::UnsupportedProtocol => "unsupported_protocol",
            Self::ForeignOrigin => "foreign_origin",
            Self::NoUpgrade => "no_upgrade",
        }
    }

    /// What an operator should know beyond what the client is told.
    pub(super) fn explain(&self) -> &'static str {
        match self {
            Self::TransportUnknown => "the query names no transport that this server has",
            Self::SessionUnknown => "the session with this `sid` has ended, or there never was one",
            Self::SessionElsewhere => "no session with this `sid` is open on this server",
            Self::BadMethod => "a handshake is a GET request",
            Self::NotAnUpgrade => "`transport=websocket` without the headers of an upgrade",
            Self::OtherTransport => "the session has changed to another transport",
            Self::OtherProtocol => "the session was opened with another `EIO`",
            Self::BadWebSocketVersion => "`Sec-WebSocket-Version` is not 13",
            Self::BadWebSocketKey => "`Sec-WebSocket-Key` is not 16 bytes in base64",
            Self::ForeignOrigin => {
                "a page of another origin: allow it with `Config::origins`, if it is yours"
            }
            Self::ByApplication(_) => "`allow_request` does not want it",
            Self::BadId(BadId::Odd) => {
                "`generate_id` returned an id that is empty, longer than 128 characters, or of others than `A-Z a-z 0-9 - . _ ~`"
            }
            Self::BadId(BadId::Taken) => "`generate_id` returned the id of another connection",
            Self::TooManyHandshakes => {
                "as many handshakes as `max_handshakes` allows are under way"
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

    /// The response, with a line in the log for those who ask why.
    pub(super) fn answer(&self) -> Response<Bytes> {
        let reason = self.explain();
        match self {
            Self::NoUpgrade | Self::BadId(_) => tracing::error!(reason, "handshake refused"),
            Self::TooManyHandshakes => tracing::warn!(reason, "handshake refused"),
            _ => tracing::debug!(reason, "request refused"),
        }
        self.response()
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body().into());
        *response.status_mut() = self.status();
        if *self == Self::UnknownMethod {
            return response;
        }
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if *self == Self::BadWebSocketVersion {
            // RFC 6455, section 4.4.
            headers.insert(
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            );
        }
        response
    }

    fn body(&self) -> String {
        match self {
            // As on Node, without a word.
            Self::UnknownMethod => String::new(),
            _ => {
                let message = serde_json::Value::String(self.to_string());
                format!(r#"{{"code":{},"message":{message}}}"#, self.code())
            }
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
            (
                Refused::ByApplication(Refusal::new("not \"you\"")),
                403,
                r#"{"code":4,"message":"not \"you\""}"#,
            ),
            (
                Refused::BadId(BadId::Taken),
                400,
                r#"{"code":3,"message":"Bad request"}"#,
            ),
            (
                Refused::TooManyHandshakes,
                503,
                r#"{"code":3,"message":"too many handshakes under way, try again"}"#,
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
