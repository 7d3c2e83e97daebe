//! What can be wrong with msgpack, and with what is to become it.

use crate::wire::args::ArgsError;

/// Tells why msgpack from elsewhere could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input ends inside a value, or declares more than it holds.
    #[error("peer sent msgpack that ends before what it declares")]
    Truncated,
    /// Something follows the value.
    #[error("peer sent {bytes} bytes behind a msgpack value")]
    Trailing {
        /// How much follows.
        bytes: usize,
    },
    /// The byte `c1`, which has no meaning.
    #[error("peer sent msgpack with the reserved byte 0xc1")]
    Reserved,
    /// A string is not UTF-8.
    #[error("peer sent msgpack with text that is not UTF-8")]
    InvalidUtf8,
    /// Another type than the one that is due.
    #[error("peer sent other msgpack where {expected} was due")]
    Unexpected {
        /// What was due.
        expected: &'static str,
    },
    /// A key of a map is neither a string nor an integer.
    #[error("peer sent a msgpack map with a key that is neither a string nor an integer")]
    MapKey,
    /// An extension that nobody who speaks Socket.IO writes.
    #[error("peer sent the msgpack extension {kind}, which is unknown")]
    Extension {
        /// Its type.
        kind: i8,
    },
    /// There are more byte strings than [`Limits::max_attachments`](crate::wire::Limits::max_attachments).
    #[error("peer sent more than {limit} attachments")]
    TooManyAttachments {
        /// The ceiling.
        limit: usize,
    },
    /// The byte strings are longer than [`Limits::max_pending_bytes`](crate::wire::Limits::max_pending_bytes) together.
    #[error("peer sent attachments of more than {limit} bytes for one packet")]
    AttachmentsTooLong {
        /// The ceiling, in bytes.
        limit: usize,
    },
    /// There is no event's name where one is due, or it is neither a string nor a number.
    #[error("peer sent an event whose name is neither a string nor a number")]
    InvalidEventName,
    /// The arguments exceed a ceiling, or hold an object that looks like a placeholder beside byte strings.
    #[error(transparent)]
    Args(#[from] ArgsError),
}

/// Tells why JSON could not become msgpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The text is not JSON.
    #[error("text to be written as msgpack is not valid JSON")]
    Syntax,
    /// The text or an attachment has 4 GiB or more, for which msgpack has no form.
    #[error("payload of 4 GiB or more cannot be written as msgpack")]
    TooLong,
}
