//! Where the protocols of Socket.IO differ that clients speak: 4 those of Engine.IO 3, and 5 all others.

use super::{NamespaceConfig, Refuse};
use crate::{
    rooms::SocketId,
    wire::{
        Args, Frames, Limits,
        engine_io::Revision,
        socket_io::{self, Packet, PacketError, Parsers, v4},
    },
};
/// What a client may speak. One of protocol 4 is spoken to before it has said anything, and in JSON.
pub(super) fn parsers(revision: Revision, config: &NamespaceConfig) -> Parsers {
    match revision {
        Revision::V3 => Parsers::Json,
        Revision::V4 => config.parsers,
    }
}

/// The namespace that a CONNECT asks for, and what is to be shown to its `authorize`.
pub(super) fn asked(
    revision: Revision,
    packet: Packet,
    limits: &Limits,
) -> Result<(Box<str>, Args), PacketError> {
    match revision {
        Revision::V3 => {
            let (path, auth) = v4::split_namespace(packet.namespace(), limits)?;
            Ok((path.into(), auth))
        }
        Revision::V4 => Ok((packet.namespace().into(), packet.into_args())),
    }
}

/// The reply that lets a client in, with the token by which it may come back.
///
/// One of protocol 4 is not told the id of its socket, and takes the session's for it. That one is the secret by which its
/// requests are known, so that the socket does not get it for its name, as it does on Node.
pub(super) fn connected(
    revision: Revision,
    path: &str,
    id: &SocketId,
    token: Option<&str>,
) -> Frames {
    match revision {
        Revision::V3 => v4::connect_frame(path).into(),
        Revision::V4 => socket_io::connect_frame(path, id.as_str(), token).into(),
    }
}

/// What `authorize` said to a client that is not let in.
pub(super) fn refused(revision: Revision, path: &str, refusal: &Refuse) -> Frames {
    let frame = match revision {
        Revision::V3 => v4::connect_error_frame,
        Revision::V4 => socket_io::connect_error_frame,
    };
    frame(path, &refusal.message, refusal.data.as_ref()).into()
}

/// There is no such namespace for this client, which clients of both are told in the same form.
pub(super) fn no_namespace(path: &str, message: &str) -> Frames {
    socket_io::connect_error_frame(path, message, None).into()
}
