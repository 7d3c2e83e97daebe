//! Real-time rooms for tower and hyper, speaking the Socket.IO protocol, with events and rooms checked by the compiler.

mod api;
mod engine;
mod layer;
mod namespace;
pub mod rooms;
mod session;
mod token;
mod transport;
pub mod wire;

pub use self::{
    api::{
        Accepts, Ack, AckShape, Acks, Admits, Answer, AnswerRejection, Any, AnyEvent, At,
        Broadcastable, Call, CanAck, CanEmit, CanQuery, CanRecover, CanServerEmit, ClientEvent,
        Complete, DecodeAck, DecodeArgs, DecodeOwned, Direct, DynRoom, EmitIn, EmitTo, Emits,
        EmittedBy, EncodeArgs, Error, Event, Everyone, Fallible, FromMessage, FromRef,
        FromRejection, FromState, Guard, Guarded, Handle, Handler, HandlerSet, Handshake, HasRooms,
        HookOutput, In, Incoming, IntoHandler, IntoServed, Io, Main, MissingIo, Namespace, NoAck,
        NoAuth, One, Outcome, Rejection, Replied, RepliedAs, Reply, Responder, RoomKey, RoomKind,
        RoomSet, Routed, Serve, Served, ServerEvent, Socket, StartError, StartProblem, State,
        Target, To, Unguarded, WithAck, WithoutAck,
    },
    engine::EngineConfig,
    layer::{Config, ResponseBody, ResponseFuture, RoomsLayer, RoomsService},
    namespace::{AckError, EmitError, HandshakeInfo, MountError, NamespaceConfig, Refuse, Sent},
    rooms::{Adapter, AdapterError, Changed, InMemory, SocketId},
    session::DisconnectReason,
};
pub use bytes::Bytes;

#[cfg(feature = "macros")]
pub use rooms_macros::{Event, Namespace, Room, RoomKey, handler};

/// The names that an application uses in nearly every file.
pub mod prelude {
    pub use crate::{
        Ack, Bytes, DisconnectReason, DynRoom, Event, Handshake, Io, Main, Namespace, Refuse,
        Replied, RoomKey, RoomSet, RoomsLayer, Socket, SocketId, State,
    };
    #[cfg(feature = "macros")]
    pub use crate::{Room, handler};
}

/// What the macros print paths into. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::api::private::*;
    pub use serde;
    pub use std::sync::Arc;
}
