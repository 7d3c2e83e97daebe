//! What users hold: typed events, rooms and namespaces, the handles that emit, and the handlers that are called.

mod ack;
mod acks;
#[cfg(feature = "axum")]
mod axum;
mod capability;
mod contract;
mod coverage;
mod dispatch;
mod emit;
mod error;
mod event;
mod extract;
mod fallback;
mod handle;
mod handler;
mod handling;
mod handshake;
mod io;
mod middleware;
mod path;
mod registry;
mod respond;
mod room;
mod room_key;
mod serve;
mod socket;
mod state;
mod target;

pub use self::{
    ack::{Fallible, FromRejection, NoAck, Reply},
    acks::Acks,
    capability::Any,
    contract::{Main, Namespace, NoAuth},
    emit::To,
    error::{Error, Rejection, StartError, StartProblem},
    event::Event,
    extract::{Ack, Call, Extension, FromMessage},
    fallback::{AnyEvent, Incoming, Outgoing},
    handle::{Handle, MissingIo},
    handshake::Handshake,
    io::Io,
    middleware::Middleware,
    path::DynamicNamespace,
    respond::Replied,
    room::{DynRoom, EmitIn, In, RoomSet},
    room_key::RoomKey,
    serve::{Serve, Served},
    socket::Socket,
    state::{FromRef, State},
};
pub(crate) use self::{contract::identity, dispatch::Dispatch};

/// The traits and types that calls are checked by: what compiler errors mention, and what generic code may ask for.
///
/// Most of them are implemented by the derives, and are named in an application only where a helper is generic over its
/// namespace or its adapter.
pub mod bounds {
    pub use super::{
        ack::{AckShape, AnswerRejection, DecodeAck},
        capability::{CanAck, CanEmit, CanQuery, CanRecover, CanServerEmit},
        contract::{Accepts, Complete, Emits, EmittedBy, HasRooms},
        event::{
            Broadcastable, ClientEvent, DecodeArgs, DecodeOwned, EncodeArgs, ServerEvent, WithAck,
            WithoutAck,
        },
        handler::{Handler, HandlerSet, IntoHandler},
        path::{DynamicNamespace, StaticNamespace},
        registry::HookOutput,
        respond::{Answer, Outcome, RepliedAs, Responder},
        room::{Admits, At, Direct, EmitTo, Everyone, One, RoomKind, Routed},
        serve::{Guard, Guarded, IntoServed, Unguarded},
        state::FromState,
        target::Target,
    };
}

/// What the macros print.
pub(crate) mod private {
    pub use super::{
        ack::ResultParts,
        contract::accepts,
        coverage::{First, Fork, Handled, Here, Leaf, Open, Second, Take, TakeAll, Vacant},
        event::{argument, assert_unique, is_client_event, is_server_event, push},
        handler::{Handles, register_method},
        handling::Handling,
        path::{PathReader, PathWriter, Paths},
        registry::Registry,
        room::Permits,
        room_key::{parse_escaped, write_escaped},
        target::push_room,
    };
    pub use crate::wire::{Args, DataWriter, EncodeError};
}
