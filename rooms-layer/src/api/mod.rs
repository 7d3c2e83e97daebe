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
mod handshake;
mod io;
mod registry;
mod respond;
mod room;
mod room_key;
mod serve;
mod socket;
mod state;
mod target;

pub use self::{
    ack::{AckShape, AnswerRejection, DecodeAck, Fallible, FromRejection, NoAck, Reply},
    acks::Acks,
    capability::{Any, CanAck, CanEmit, CanQuery, CanRecover, CanServerEmit},
    contract::{Accepts, Complete, Emits, EmittedBy, HasRooms, Main, Namespace, NoAuth},
    emit::To,
    error::{Error, Rejection, StartError, StartProblem},
    event::{
        Broadcastable, ClientEvent, DecodeArgs, DecodeOwned, EncodeArgs, Event, ServerEvent,
        WithAck, WithoutAck,
    },
    extract::{Ack, Call, FromMessage},
    fallback::{AnyEvent, Incoming},
    handle::{Handle, MissingIo},
    handler::{Handler, HandlerSet, IntoHandler},
    handshake::Handshake,
    io::Io,
    registry::HookOutput,
    respond::{Answer, Outcome, Replied, RepliedAs, Responder},
    room::{
        Admits, At, Direct, DynRoom, EmitIn, EmitTo, Everyone, In, One, RoomKind, RoomSet, Routed,
    },
    room_key::RoomKey,
    serve::{Guard, Guarded, IntoServed, Serve, Served, Unguarded},
    socket::Socket,
    state::{FromRef, FromState, State},
    target::Target,
};
pub(crate) use self::{contract::identity, dispatch::Dispatch};

/// What the macros print paths into. Not part of the public API.
pub(crate) mod private {
    pub use super::{
        ack::ResultParts,
        coverage::{Fork, Handled, Leaf, Left, Open, Right, Slot, Take, TakeAll, Vacant},
        event::{argument, assert_unique, push},
        handler::{Handles, register_method},
        registry::Registry,
        room_key::{parse_escaped, write_escaped},
        target::push_room,
    };
    pub use crate::wire::{Args, DataWriter, EncodeError};
}
