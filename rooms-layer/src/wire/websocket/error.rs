//! What a client can do wrong in its frames.

/// Tells how a client broke RFC 6455 or a ceiling. The connection cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// One of the three reserved bits is set, although no extension was negotiated.
    #[error("client set a reserved bit without a negotiated extension")]
    ReservedBits,
    /// The frame's type is one of those that the RFC reserves.
    #[error("client sent a frame of the reserved type {0:#x}")]
    ReservedOpcode(u8),
    /// The frame is not masked (RFC 6455, section 5.1).
    #[error("client sent a frame without a mask")]
    Unmasked,
    /// A ping, pong or close frame is not the last one of its message.
    #[error("client split a control frame into fragments")]
    FragmentedControl,
    /// A ping, pong or close frame declares more than 125 bytes.
    #[error("client sent a control frame of more than 125 bytes")]
    ControlTooLong,
    /// A continuation frame has nothing to continue.
    #[error("client continued a message that it had not begun")]
    UnexpectedContinuation,
    /// A message begins while another one is unfinished.
    #[error("client began a message inside another one")]
    ExpectedContinuation,
    /// The first bit of a 64-bit length is set (RFC 6455, section 5.2).
    #[error("client declared a frame length of more than 63 bits")]
    InvalidLength,
    /// The message is longer than [`Limits::max_payload`](crate::wire::Limits::max_payload).
    #[error("client declared a message of more than {limit} bytes")]
    TooLong {
        /// The ceiling, in bytes.
        limit: usize,
    },
    /// The message has more frames than [`Limits::max_fragments`](crate::wire::Limits::max_fragments).
    #[error("client split a message into more than {limit} frames")]
    TooManyFragments {
        /// The ceiling, in frames.
        limit: usize,
    },
    /// A text message or the reason of a close frame is not UTF-8.
    #[error("client sent text that is not UTF-8")]
    InvalidUtf8,
    /// The payload of a close frame is a single byte, half of a status code.
    #[error("client sent half a close code")]
    TruncatedCloseCode,
    /// The status code of a close frame must not be sent (RFC 6455, section 7.4).
    #[error("client sent the close code {0}, which must not be sent")]
    InvalidCloseCode(u16),
}

impl WebSocketError {
    /// The status code for the close frame that answers the error (RFC 6455, section 7.4.1).
    pub fn close_code(&self) -> u16 {
        match self {
            Self::InvalidUtf8 => 1007,
            Self::TooManyFragments { .. } => 1008,
            Self::TooLong { .. } => 1009,
            _ => 1002,
        }
    }
}
