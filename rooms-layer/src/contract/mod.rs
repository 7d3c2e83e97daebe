//! What travels, as types: events, rooms and namespaces, and who an event may go to. Whoever emits needs this, a server or not.

mod ack;
mod acks;
mod capability;
mod coverage;
mod emit;
mod emitter;
mod error;
mod event;
mod io;
mod namespace;
mod path;
mod remote;
mod room;
mod room_key;
mod target;

pub use self::{
    ack::{Fallible, FromRejection, NoAck, Reply},
    acks::Acks,
    capability::{Any, Publish},
    emit::To,
    emitter::Emitter,
    error::{Error, Rejection},
    event::Event,
    io::Io,
    namespace::{Main, Namespace, NoAuth},
    path::DynamicNamespace,
    remote::{NoData, RemoteSocket},
    room::{DynRoom, EmitIn, In, RoomSet},
    room_key::RoomKey,
};
#[cfg(feature = "server")]
pub(crate) use self::{emit::encode, path::Paths, target::names};

/// What `rooms_layer::bounds` has of this room.
pub(crate) mod bounds {
    pub use super::{
        ack::{AckShape, DecodeAck},
        capability::{CanAck, CanEmit, CanQuery, CanRecover, CanServerEmit},
        event::{
            Broadcastable, ClientEvent, ClusterEvent, DecodeArgs, DecodeOwned, EncodeArgs,
            ServerEvent, WithAck, WithoutAck,
        },
        namespace::{AcceptedBy, Complete, Emits, EmittedBy, HasRooms},
        path::{DynamicNamespace, StaticNamespace},
        room::{Admits, At, Direct, EmitTo, Everyone, One, RoomKind, Routed},
        target::Target,
    };
}

/// What the macros print of contracts.
pub(crate) mod private {
    pub use super::{
        ack::ResultParts,
        coverage::{First, Fork, Handled, Here, Leaf, Open, Second, Take, TakeAll, Vacant},
        event::{
            No, Use, Whole, Yes, argument, assert_unique, is_client_event, is_server_event, push,
        },
        namespace::{OpenContract, accepts},
        path::{PathReader, PathWriter, Paths},
        remote::{AsJson, Data, NoJson},
        room::Permits,
        room_key::{parse_escaped, write_escaped},
        target::push_room,
    };
    pub use crate::wire::{Args, DataWriter, EncodeError};
}
