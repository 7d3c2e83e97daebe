//! What a peer can do wrong in its packets.

use crate::wire::{args::ArgsError, msgpack::ReadError};

/// Tells how a peer broke the Socket.IO protocol or a ceiling. Its whole connection is to be closed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PacketError {
    /// The message carries no packet.
    #[error("peer sent an empty packet")]
    Empty,
    /// The packet's type is none of the protocol's.
    #[error("peer sent a packet of unknown type")]
    UnknownType,
    /// Only a server sends this type.
    #[error("client sent a packet that only servers send")]
    ServerOnly,
    /// A binary packet does not tell its number of attachments, or tells zero.
    #[error("peer sent a binary packet without a valid number of attachments")]
    IllegalAttachments,
    /// A binary packet declares more attachments than [`Limits::max_attachments`](crate::wire::Limits).
    #[error("peer declared more than {limit} attachments")]
    TooManyAttachments {
        /// The ceiling.
        limit: usize,
    },
    /// The attachments of a packet are longer than [`Limits::max_pending_bytes`](crate::wire::Limits).
    #[error("peer sent attachments of more than {limit} bytes for one packet")]
    AttachmentsTooLong {
        /// The ceiling, in bytes.
        limit: usize,
    },
    /// A text message came where an attachment was due.
    #[error("peer sent text where a binary attachment was due")]
    ExpectedAttachment,
    /// A binary message came where none was due.
    #[error("peer sent a binary message that belongs to no packet")]
    UnexpectedAttachment,
    /// The id of an acknowledgement does not fit 64 bits.
    #[error("peer sent an acknowledgement id of more than 64 bits")]
    IdTooLarge,
    /// The payload is not of the form that the packet's type asks for.
    #[error("peer sent a payload that does not fit the packet's type")]
    InvalidPayload,
    /// An event has no name, or its name is neither a string nor a number.
    #[error("peer sent an event whose name is neither a string nor a number")]
    InvalidEventName,
    /// An event's name is longer than [`Limits::max_event_name`](crate::wire::Limits).
    #[error("peer sent an event name of more than {limit} bytes")]
    EventNameTooLong {
        /// The ceiling, in bytes.
        limit: usize,
    },
    /// An event's name is one of [`RESERVED_EVENTS`](super::RESERVED_EVENTS).
    #[error("peer sent an event with a reserved name")]
    ReservedEventName,
    /// A packet in msgpack lacks its type or its namespace.
    #[error("peer sent a packet without a type or a namespace")]
    Incomplete,
    /// A namespace in msgpack does not begin with a slash, or has a comma in it, which its other form has no room for.
    #[error("peer sent a namespace that does not begin with a slash, or has a comma")]
    InvalidNamespace,
    /// A text message came from a client whose packets are msgpack.
    #[error("peer sent text where a packet in msgpack was due")]
    ExpectedMsgpack,
    /// A binary message is not the msgpack that a packet is.
    #[error(transparent)]
    Msgpack(#[from] ReadError),
    /// The arguments are not valid.
    #[error(transparent)]
    Args(#[from] ArgsError),
}
