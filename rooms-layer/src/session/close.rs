//! Why a connection ends: what its sockets are told, what the client is told, and whether it comes back.

use std::fmt;

/// Tells why a socket is gone.
///
/// Its text is the one that Socket.IO servers report, word for word; they know no [`SlowClient`](Self::SlowClient).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The client left this namespace. Its connection may live on in others.
    ClientNamespaceDisconnect,
    /// The server disconnected the socket.
    ServerNamespaceDisconnect,
    /// The client closed the connection, or it ended without a fault.
    TransportClose,
    /// The connection broke, or the client broke a rule of the transport.
    TransportError,
    /// The client did not answer a ping in time; of Engine.IO 3, where it is the client that pings, it did not ping.
    PingTimeout,
    /// The client read more slowly than it was sent to, and its queue was full.
    SlowClient,
    /// The client sent something that is no Engine.IO packet.
    ParseError,
    /// The client broke a rule of the Socket.IO protocol, or joined no namespace in time.
    ForcedClose,
    /// The server closed the whole connection.
    ForcedServerClose,
    /// The server is going away.
    ServerShuttingDown,
}

impl DisconnectReason {
    /// Returns the text that Socket.IO servers report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::SlowClient => "slow client",
            Self::ParseError => "parse error",
            Self::ForcedClose => "forced close",
            Self::ForcedServerClose => "forced server close",
            Self::ServerShuttingDown => "server shutting down",
        }
    }

    /// Tells whether the stock client connects again by itself.
    ///
    /// It does when it lost the connection, and does not when either side took leave of the namespace. A tab that was
    /// closed also looks like a lost connection.
    #[must_use]
    pub const fn client_reconnects(self) -> bool {
        match self {
            Self::ClientNamespaceDisconnect | Self::ServerNamespaceDisconnect => false,
            Self::TransportClose
            | Self::TransportError
            | Self::PingTimeout
            | Self::SlowClient
            | Self::ParseError
            | Self::ForcedClose
            | Self::ForcedServerClose
            | Self::ServerShuttingDown => true,
        }
    }

    /// Tells whether what a socket leaves behind is kept for it to come back to, where there is connection state recovery.
    ///
    /// It is where the connection was lost, whoever lost it. It is not where either side took leave of the namespace, nor of a
    /// client that speaks something else than Engine.IO.
    #[must_use]
    pub const fn keeps_session(self) -> bool {
        match self {
            Self::ClientNamespaceDisconnect
            | Self::ServerNamespaceDisconnect
            | Self::ParseError => false,
            Self::TransportClose
            | Self::TransportError
            | Self::PingTimeout
            | Self::SlowClient
            | Self::ForcedClose
            | Self::ForcedServerClose
            | Self::ServerShuttingDown => true,
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What ends a connection, and every socket on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// The client closed: a close packet, a close frame, or the end of the stream.
    PeerClosed,
    /// Reading or writing failed, or the client broke a rule of polling, such as one poll at a time.
    TransportFailed,
    /// The client broke RFC 6455 or a ceiling of ours, to be answered with this status code (section 7.4.1).
    Framing(u16),
    /// The client sent a ping in revision 4, or a pong in revision 3: those are the server's to send.
    HeartbeatDirection,
    /// The client did not answer a ping in time, or in revision 3 did not send one.
    PingTimeout,
    /// The client sent something that is no Engine.IO packet.
    BadPacket,
    /// The client broke a rule of the Socket.IO protocol.
    Violation,
    /// The client joined no namespace in time.
    ConnectTimeout,
    /// The client reads more slowly than it is sent to, and its queue is full.
    Overflow,
    /// All clients together have as much of unfinished messages held as they may, and this one sent more.
    Overloaded,
    /// The application closed the connection.
    ServerClosed,
    /// The server is going away.
    ShuttingDown,
}

impl CloseCause {
    /// The reason that sockets still on the connection are given.
    pub(crate) const fn reason(self) -> DisconnectReason {
        self.row().0
    }

    /// The status code of the close frame that a WebSocket client is sent; `None` means an empty frame.
    ///
    /// As on Node, only what is wrong below Engine.IO has a code. A close frame of the client is answered with the code
    /// that it brought (RFC 6455 section 5.5.1), which is the engine's to know.
    pub(crate) const fn websocket_code(self) -> Option<u16> {
        self.row().1
    }

    /// Whether the client is to blame: it broke a rule, or was not there when it had to be.
    pub(crate) const fn is_clients_fault(self) -> bool {
        match self {
            Self::TransportFailed
            | Self::Framing(_)
            | Self::HeartbeatDirection
            | Self::PingTimeout
            | Self::BadPacket
            | Self::Violation
            | Self::Overflow
            | Self::Overloaded => true,
            Self::PeerClosed | Self::ConnectTimeout | Self::ServerClosed | Self::ShuttingDown => {
                false
            }
        }
    }

    /// Its name in counts of endings.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::PeerClosed => "client_closed",
            Self::TransportFailed => "transport_failed",
            Self::Framing(_) => "bad_frame",
            Self::HeartbeatDirection | Self::BadPacket => "bad_packet",
            Self::PingTimeout => "ping_timeout",
            Self::Violation => "protocol_violation",
            Self::ConnectTimeout => "connect_timeout",
            Self::Overflow => "slow_client",
            Self::Overloaded => "overloaded",
            Self::ServerClosed => "server_closed",
            Self::ShuttingDown => "shutting_down",
        }
    }

    const fn row(self) -> (DisconnectReason, Option<u16>) {
        match self {
            Self::PeerClosed => (DisconnectReason::TransportClose, None),
            Self::TransportFailed => (DisconnectReason::TransportError, None),
            Self::Framing(code) => (DisconnectReason::TransportError, Some(code)),
            Self::HeartbeatDirection => (DisconnectReason::TransportError, None),
            Self::PingTimeout => (DisconnectReason::PingTimeout, None),
            Self::BadPacket => (DisconnectReason::ParseError, None),
            Self::Violation => (DisconnectReason::ForcedClose, None),
            Self::ConnectTimeout => (DisconnectReason::ForcedClose, None),
            // Node has no such ceiling. To the client it is a lost connection, and it may come back.
            Self::Overflow => (DisconnectReason::SlowClient, None),
            // "Try again later", in IANA's registry of close codes.
            Self::Overloaded => (DisconnectReason::TransportError, Some(1013)),
            Self::ServerClosed => (DisconnectReason::ForcedServerClose, None),
            Self::ShuttingDown => (DisconnectReason::ServerShuttingDown, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_in_the_words_of_socket_io() {
        use DisconnectReason::*;
        // (reason, its text, whether the stock client comes back, whether to what it was)
        let cases = [
            (
                ClientNamespaceDisconnect,
                "client namespace disconnect",
                false,
                false,
            ),
            (
                ServerNamespaceDisconnect,
                "server namespace disconnect",
                false,
                false,
            ),
            (TransportClose, "transport close", true, true),
            (TransportError, "transport error", true, true),
            (PingTimeout, "ping timeout", true, true),
            (SlowClient, "slow client", true, true),
            (ParseError, "parse error", true, false),
            (ForcedClose, "forced close", true, true),
            (ForcedServerClose, "forced server close", true, true),
            (ServerShuttingDown, "server shutting down", true, true),
        ];
        for (reason, text, reconnects, keeps_session) in cases {
            assert_eq!(reason.to_string(), text);
            assert_eq!(reason.client_reconnects(), reconnects, "{reason}");
            assert_eq!(reason.keeps_session(), keeps_session, "{reason}");
        }
    }

    #[test]
    fn causes_map_to_what_each_side_is_told() {
        let cases = [
            (CloseCause::PeerClosed, "transport close", None),
            (CloseCause::TransportFailed, "transport error", None),
            (CloseCause::Framing(1002), "transport error", Some(1002)),
            (CloseCause::Framing(1009), "transport error", Some(1009)),
            (CloseCause::HeartbeatDirection, "transport error", None),
            (CloseCause::PingTimeout, "ping timeout", None),
            (CloseCause::BadPacket, "parse error", None),
            (CloseCause::Violation, "forced close", None),
            (CloseCause::ConnectTimeout, "forced close", None),
            (CloseCause::Overflow, "slow client", None),
            (CloseCause::Overloaded, "transport error", Some(1013)),
            (CloseCause::ServerClosed, "forced server close", None),
            (CloseCause::ShuttingDown, "server shutting down", None),
        ];
        for (cause, reason, code) in cases {
            assert_eq!(cause.reason().as_str(), reason, "{cause:?}");
            assert_eq!(cause.websocket_code(), code, "{cause:?}");
            assert!(
                cause.reason().client_reconnects(),
                "a client that lost its connection comes back"
            );
        }
    }
}
