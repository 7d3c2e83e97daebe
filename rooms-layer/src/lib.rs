//! Real-time rooms for tower and hyper, speaking the Socket.IO protocol, with events and rooms checked by the compiler.
//!
//! A [`RoomsLayer`] around any `http` service serves Socket.IO clients beside its routes. What travels are types: an event says
//! which way it goes, whether it is acknowledged, and which rooms it may reach. HTTP handlers, tasks and other clients' handlers
//! emit through an [`Io`].
//!
//! ```
//! use rooms_layer::{Error, prelude::*};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Room)]
//! enum Room {
//!     Project(u64),
//! }
//!
//! #[derive(Event, Serialize)]
//! #[event(server, to(Room::Project))]
//! struct TaskDone {
//!     title: String,
//! }
//!
//! #[derive(Event, Deserialize)]
//! #[event(client)]
//! struct OpenProject(u64);
//!
//! // From wherever something happens:
//! fn done(io: &Io<Main>, project: u64, title: String) -> Result<(), Error> {
//!     io.to(Room::project(project)).emit(TaskDone { title })?;
//!     Ok(())
//! }
//!
//! // Around a service:
//! let rooms = RoomsLayer::new().on(async |socket: Socket<Main>, OpenProject(id): OpenProject| {
//!     socket.join(Room::project(id));
//! });
//! let io = rooms.io::<Main>();
//! let app: axum::Router = axum::Router::new().layer(rooms);
//! # done(&io, 42, "write it down".to_owned()).unwrap();
//! ```
//!
//! # Where to go from here
//!
//! | to | see |
//! |---|---|
//! | put a server together | [`RoomsLayer`], [`Config`] |
//! | declare events, rooms and namespaces | [`Event`](trait@Event), [`RoomSet`], [`RoomKey`](trait@RoomKey), [`Namespace`](trait@Namespace) |
//! | handle what clients send | [`Serve`], [`Socket`], [`Ack`], [`FromMessage`] |
//! | decide who connects | [`Serve::authorize`], [`Handshake`], [`Refuse`] |
//! | emit | [`Io`], [`To`], [`Acks`] |
//! | take an [`Io`] from a request | a parameter with axum, [`Io::from_extensions`] elsewhere |
//! | write an adapter | [`rooms::Adapter`] |
//! | use the codec alone | [`wire`] |
//!
//! # Features
//!
//! - `macros` (default): the derives and `#[handler]`.
//! - `axum`: [`Io`] as an extractor, errors as responses, axum's `State` in socket handlers.
//!
//! # What it runs on
//!
//! A tokio runtime, and an HTTP server built on hyper that offers upgrades to its services. Where the upgrade is out of reach,
//! [`RoomsLayer::accept`] takes a stream that speaks WebSocket already. Logs go to `tracing`.

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

/// The program of the README, which has to compile.
#[cfg(all(doctest, feature = "axum", feature = "macros"))]
#[doc = include_str!("../../README.md")]
mod readme {}
