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
//! | declare events, rooms and namespaces | [`Event`](trait@Event), [`RoomSet`], [`RoomKey`](trait@RoomKey), [`Namespace`](trait@Namespace), [`DynamicNamespace`] |
//! | handle what clients send | [`Serve`], [`Socket`], [`Ack`], [`FromMessage`] |
//! | decide who connects | [`Serve::authorize`], [`Handshake`], [`Refuse`] |
//! | emit | [`Io`], [`To`], [`Acks`]; from a process without clients [`Emitter`] |
//! | take an [`Io`] from a request | a parameter with axum, [`Io::from_extensions`] elsewhere |
//! | see how a server is doing | [`RoomsLayer::stats`] |
//! | write an adapter | [`rooms::Adapter`] |
//! | serve Engine.IO without Socket.IO | [`engine_io`] |
//! | use the codec alone | [`wire`] |
//!
//! # Features
//!
//! - `macros` (default): the derives and, with `server`, `#[handler]`.
//! - `server` (default): all that serves clients. Without it there is no HTTP and no WebSocket among the dependencies, and what is
//!   left is the contract, [`Emitter`] and the door for adapters: for workers, and for the crates of contracts and adapters.
//! - `axum` (with `server`): [`Io`] as an extractor, errors as responses, axum's `State` in socket handlers.
//! - `http2` (with `server`): WebSocket over HTTP/2 (RFC 8441), for servers that offer it: axum with its own feature `http2`, hyper
//!   with `enable_connect_protocol()`.
//! - `export`: the module `export`, contracts as TypeScript for the official client and as AsyncAPI.
//! - `metrics`: [`Stats::record`], for whatever exporter the `metrics` facade has.
//! - `test`: the module `test`, a client without a socket and a recorder of what is emitted, for tests of applications.
//!
//! # What it runs on
//!
//! A tokio runtime, and an HTTP server built on hyper that offers upgrades to its services. Where the upgrade is out of reach,
//! [`RoomsLayer::accept`] takes a stream that speaks WebSocket already. Logs go to `tracing`.

#[cfg(feature = "server")]
mod api;
mod contract;
#[cfg(feature = "server")]
mod engine;
#[cfg(feature = "server")]
pub mod engine_io;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "server")]
mod handshake;
#[cfg(feature = "server")]
mod layer;
#[cfg(feature = "server")]
mod memory;
#[cfg(feature = "server")]
mod namespace;
pub mod rooms;
#[cfg(feature = "server")]
mod session;
#[cfg(feature = "server")]
mod sync;
#[cfg(feature = "test")]
pub mod test;
mod token;
#[cfg(feature = "server")]
mod transport;
#[cfg_attr(
    not(feature = "server"),
    allow(dead_code, unused_imports, reason = "only packets need it")
)]
pub mod wire;

#[cfg(feature = "server")]
pub use self::{
    api::{
        Ack, AnyEvent, Call, Extension, FromMessage, FromRef, Handle, Handshake, Incoming,
        Middleware, MissingIo, NamespaceExt, Outgoing, Replied, Serve, Served, ServerAcks, Socket,
        StartError, StartProblem, State,
    },
    engine::EngineConfig,
    handshake::{HandshakeInfo, KeptExtensions},
    layer::{Config, RoomsLayer, RoomsService, Stats},
    memory::InMemory,
    namespace::{Lagged, NamespaceConfig, Parsers, Refuse, RoomEvent, RoomEvents, SlowClients},
    session::DisconnectReason,
    transport::{
        ConfigError, HandshakeCookie, HttpConfig, Origins, Refusal, ResponseBody, ResponseFuture,
        SameSite, Transports,
    },
};
pub use self::{
    contract::{
        Acks, Any, DynRoom, DynamicNamespace, EmitIn, Emitter, Error, Event, Fallible,
        FromRejection, In, Io, Main, Namespace, NoAck, NoAuth, NoData, Publish, Rejection,
        RemoteSocket, Reply, RoomKey, RoomSet, To,
    },
    rooms::{
        AckError, Adapter, AdapterError, Changed, EmitError, Incomplete, MountError,
        RecoveryConfig, Sent, SocketId,
    },
};
pub use bytes::Bytes;

/// The traits and types that calls are checked by: what compiler errors mention, and what generic code may ask for.
///
/// Most of them are implemented by the derives, and are named in an application only where a helper is generic over its
/// namespace or its adapter.
pub mod bounds {
    #[cfg(feature = "server")]
    pub use crate::api::bounds::*;
    pub use crate::contract::bounds::*;
}

/// Makes a type an event.
///
/// ```
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(RoomKey, Clone, Copy, Serialize, Deserialize)] struct ProjectId(u64);
/// # #[derive(Room)] enum Room { Project(ProjectId), User(String) }
/// # #[derive(Serialize, Deserialize)] struct Task;
/// # #[derive(Serialize, Deserialize)] struct ApiError;
/// # impl From<rooms_layer::Error> for ApiError { fn from(_: rooms_layer::Error) -> Self { ApiError } }
/// /// One argument: an object. It may borrow, and be generic.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(name = "project renamed", server, to(Room::Project(id), Room::User))]
/// struct Renamed<'a> {
///     id: ProjectId,
///     name: &'a str,
/// }
///
/// /// Two arguments: `socket.on("cursor_moved", (x, y) => ..)`. It travels both ways.
/// #[derive(Event)]
/// #[event(to(Room::*))]
/// struct CursorMoved(f32, f32);
///
/// /// No argument; may go to everyone.
/// #[derive(Event)]
/// #[event(server, broadcast)]
/// struct Maintenance;
///
/// /// Answered with a `Result`; a client that sends nonsense is answered with an `ApiError`.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(client, ack = Result<Task, ApiError>)]
/// struct AddTask {
///     title: String,
/// }
/// ```
///
/// # Form
///
/// A struct with named fields, or an enum (which then needs a `name`), is one argument and derives serde's traits itself. Each
/// field of a tuple struct is an argument. [`Bytes`] travel as binary attachments, at any depth; `Vec<u8>` is refused, unless
/// the field says `#[event(json_bytes)]`.
///
/// # `#[event(..)]`
///
/// | key | meaning |
/// |---|---|
/// | `name = ".."` | the name on the wire; otherwise the type's in snake case |
/// | `client`, `server` | who emits it; both unless said. Where a closed [`Namespace`](derive@Namespace) lists the event, its lists decide, and this may be left out |
/// | `cluster` | servers emit it to each other: [`server_side_emit`](Io::server_side_emit), [`Serve::on_server_event`] |
/// | `to(Room::A, Room::B)` | kinds of rooms it may be emitted to |
/// | `to(Room::A(id))` | the same, and its fields name the room: [`Io::publish`] needs no `to(..)`. Fields of fields work (`message.channel`), and positions (`0`) |
/// | `to(Room::*)`, `to(any)`, `to(dynamic)` | all rooms of a set; all rooms; rooms named by a [`DynRoom`] |
/// | `broadcast` | may be emitted to everyone |
/// | `ack = T` | is answered with a `T`. A `Result` travels as [`Fallible`] |
/// | `ack(T)` | is answered with a `T`, also if that is a `Result`, as serde writes it |
/// | `crate = path` | where `rooms_layer` is |
#[cfg(feature = "macros")]
pub use rooms_macros::Event;

/// Makes an enum a closed set of rooms: a variant for each kind, its fields the keys.
///
/// ```
/// # use rooms_layer::prelude::*;
/// #[derive(RoomKey, Clone, Copy, PartialEq, Debug)]
/// struct ProjectId(u64);
///
/// #[derive(Room, PartialEq, Debug)]
/// enum Room {
///     Project(ProjectId),
///     Cell { project: ProjectId, path: String },
///     #[room(name = "entrance")]
///     Lobby,
/// }
///
/// assert_eq!(Room::project(ProjectId(42)).to_string(), "project:42");
/// assert_eq!(Room::cell(ProjectId(1), "a").to_string(), "cell:1:a");
/// assert_eq!(Room::lobby().to_string(), "entrance");
/// assert_eq!(Room::parse("project:42"), Some(Room::Project(ProjectId(42))));
/// assert_eq!(Room::parse("project:042"), None);
/// ```
///
/// `Room::project(id)` is an [`In<Room, room::Project>`](In): the kind is part of its type, and an event that may not go to
/// rooms of that kind does not compile. A bare `Room` works too; an event must then be allowed in every kind.
///
/// `#[room(name = "..")]` on a variant sets the first part of its rooms' names, and `#[room(crate = path)]` on the enum says
/// where `rooms_layer` is.
#[cfg(feature = "macros")]
pub use rooms_macros::Room;

/// Makes a struct with one field a key of rooms: `struct ProjectId(u64);`.
///
/// `#[room_key(crate = path)]` says where `rooms_layer` is.
#[cfg(feature = "macros")]
pub use rooms_macros::RoomKey;

/// Makes a type a namespace: a path, with the contract of what travels there.
///
/// ```
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Room)] enum Room { Project(u64) }
/// # #[derive(Event)] struct Typing<'a>(&'a str);
/// # #[derive(Event)] struct Renamed(u64);
/// # #[derive(Deserialize)] struct Token;
/// # struct Session;
/// # #[derive(Clone)] struct Db;
/// #[derive(Namespace)]
/// #[namespace(path = "/", auth = Token, data = Session, state = Db)]
/// #[namespace(rooms(Room), client(Typing<'_>), server(Renamed, Typing<'_>))]
/// struct App;
/// ```
///
/// The contract is closed: an event or a room that it does not list does not compile, and
/// [`RoomsLayer::namespace`] does not compile before every event of the client's list has its handler. An `open` namespace has
/// no lists and takes whatever comes, as [`Main`] does.
///
/// A contract may live in a crate that servers, workers and exports share. The server's type then names it:
///
/// ```
/// # use rooms_layer::prelude::*;
/// # struct Session;
/// # #[derive(Clone)] struct Db;
/// #[derive(Namespace)]
/// #[namespace(path = "/dashboard")]
/// struct Dashboard;
///
/// #[derive(Namespace)]
/// #[namespace(contract = Dashboard, data = Session, state = Db)]
/// struct App;
/// ```
///
/// # `#[namespace(..)]`
///
/// | key | meaning |
/// |---|---|
/// | `path = ".."` | where clients connect to; otherwise the type's name in snake case. With fields of the struct in it (`/workspace-{id}`) the namespace is a [`DynamicNamespace`] |
/// | `auth = T` | what clients send as `auth`; otherwise it is ignored |
/// | `data = T` | what each socket carries: [`Serve::authorize`] makes it, or `Default`; otherwise nothing |
/// | `state = T` | what [`serve`](NamespaceExt::serve) is given; otherwise nothing |
/// | `rooms(..)`, `client(..)`, `server(..)` | the sets of rooms, the events that clients emit, the events that servers emit |
/// | `open` | any event, any room |
/// | `contract = T` | path, `auth` and lists are those of `T` |
/// | `crate = path` | where `rooms_layer` is |
#[cfg(feature = "macros")]
pub use rooms_macros::Namespace;

/// Makes an async function, or the methods of an `impl` block, handlers of events.
///
/// ```
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)] struct Chat<'a> { text: &'a str }
/// # #[derive(Event)] struct CursorMoved(f32, f32);
/// /// The last parameter is the event, and may borrow from its packet; the others are extractors.
/// #[handler(Main)]
/// async fn chat(socket: Socket<Main>, Chat { text }: Chat<'_>) {
///     println!("{:?} says {text}", socket.id());
/// }
///
/// struct Cursors;
///
/// #[handler(Main)]
/// impl Cursors {
///     #[on]
///     async fn moved(&self, CursorMoved(x, y): CursorMoved) {
///         self.log(x, y);
///     }
///
///     #[disconnect]
///     async fn left(&self, socket: Socket<Main>, reason: DisconnectReason) {
///         println!("{:?} left: {reason:?}", socket.id());
///     }
///
///     /// Methods without a mark are left alone.
///     fn log(&self, x: f32, y: f32) {}
/// }
///
/// let rooms = || RoomsLayer::new().on(chat).handlers(Cursors);
/// ```
///
/// What a handler returns is the acknowledgement that its event declares. A function stays callable, for unit tests:
/// `chat::call(socket, event)`.
///
/// `#[on]` marks handlers in a block, `#[connect]` what runs when a client has connected, `#[disconnecting]` when it is about
/// to leave (its rooms are still there), `#[disconnect]` when it has left.
///
/// Without a namespace the handlers are for [`Main`]; with several (`#[handler(App, Admin)]`) for each of them.
/// `crate = path` says where `rooms_layer` is.
#[cfg(all(feature = "macros", feature = "server"))]
pub use rooms_macros::handler;

/// The names that an application uses in nearly every file.
pub mod prelude {
    #[cfg(feature = "macros")]
    pub use crate::Room;
    #[cfg(all(feature = "macros", feature = "server"))]
    pub use crate::handler;
    #[cfg(feature = "server")]
    pub use crate::{
        Ack, DisconnectReason, Handshake, NamespaceExt, Refuse, Replied, RoomsLayer, Socket, State,
    };
    pub use crate::{Bytes, DynRoom, Event, Io, Main, Namespace, RoomKey, RoomSet, SocketId};
}

/// What the macros print. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::__when_exporting as when_exporting;
    #[cfg(feature = "export")]
    pub use crate::export::private::*;
    #[cfg(feature = "server")]
    pub use crate::{Call, FromMessage, api::private::*};
    pub use crate::{
        DynRoom, Event, Fallible, In, Main, Namespace, NoAck, NoAuth, Rejection, Reply, RoomKey,
        RoomSet, bounds::*, contract::private::*,
    };
    pub use serde;
    pub use std::sync::Arc;
}

/// Keeps what the macros print for exports out of builds without them. A macro can't see which features the library has.
#[cfg(feature = "export")]
#[doc(hidden)]
#[macro_export]
macro_rules! __when_exporting {
    ($($tokens:tt)*) => { $($tokens)* };
}
#[cfg(not(feature = "export"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __when_exporting {
    ($($tokens:tt)*) => {};
}

/// The program of the README, which has to compile.
#[cfg(all(doctest, feature = "axum", feature = "macros"))]
#[doc = include_str!("../../README.md")]
mod readme {}

/// The chapters of the guide, which have to compile.
#[cfg(all(doctest, feature = "axum", feature = "macros", feature = "test"))]
mod guide {
    #[doc = include_str!("../../docs/guide/README.md")]
    mod index {}
    #[doc = include_str!("../../docs/guide/events.md")]
    mod events {}
    #[doc = include_str!("../../docs/guide/rooms.md")]
    mod rooms {}
    #[doc = include_str!("../../docs/guide/namespaces.md")]
    mod namespaces {}
    #[doc = include_str!("../../docs/guide/handlers.md")]
    mod handlers {}
    #[doc = include_str!("../../docs/guide/acks.md")]
    mod acks {}
    #[doc = include_str!("../../docs/guide/emitting.md")]
    mod emitting {}
    #[doc = include_str!("../../docs/guide/emitter.md")]
    mod emitter {}
    #[doc = include_str!("../../docs/guide/adapters.md")]
    mod adapters {}
    #[cfg(feature = "export")]
    #[doc = include_str!("../../docs/guide/export.md")]
    mod export {}
    #[doc = include_str!("../../docs/guide/recovery.md")]
    mod recovery {}
    #[doc = include_str!("../../docs/guide/testing.md")]
    mod testing {}
    #[doc = include_str!("../../docs/guide/engine.md")]
    mod engine {}
    #[doc = include_str!("../../docs/guide/configuration.md")]
    mod configuration {}
    #[doc = include_str!("../../docs/guide/clients.md")]
    mod clients {}
    #[doc = include_str!("../../docs/guide/coming-from-node.md")]
    mod coming_from_node {}
    #[doc = include_str!("../../docs/guide/coming-from-socketioxide.md")]
    mod coming_from_socketioxide {}
}
