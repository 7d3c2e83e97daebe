//! One connection as data.
#![allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    TransportClose,
    TransportError,
    PingTimeout,
    ParseError,
    ForcedClose,
    ForcedServerClose,
    ClientNamespaceDisconnect,
    ServerNamespaceDisconnect,
    ServerShuttingDown,
}
