//! What servers hold: the handles to namespaces and sockets, and the handlers that are called.

mod ack;
#[cfg(feature = "axum")]
mod axum;
mod dispatch;
mod extract;
mod fallback;
mod handle;
mod handler;
mod handling;
mod handshake;
mod identity;
mod io;
mod middleware;
mod opaque;
mod registry;
mod respond;
mod serve;
mod server_events;
mod socket;
mod start;
mod state;

pub(crate) use self::{dispatch::Dispatch, identity::identity};
pub use self::{
    extract::{Ack, Call, Extension, FromMessage},
    fallback::{AnyEvent, Incoming, Outgoing},
    handle::{Handle, MissingIo},
    handshake::Handshake,
    middleware::Middleware,
    respond::Replied,
    serve::{NamespaceExt, Serve, Served},
    server_events::ServerAcks,
    socket::Socket,
    start::{StartError, StartProblem},
    state::{FromRef, State},
};

/// What `rooms_layer::bounds` has of this room.
pub(crate) mod bounds {
    pub use super::{
        ack::AnswerRejection,
        handler::{Handler, HandlerSet, IntoHandler},
        registry::HookOutput,
        respond::{Answer, Outcome, RepliedAs, Responder},
        serve::{Guard, Guarded, IntoServed, Unguarded},
        state::FromState,
    };
}

/// What the macros print of handlers.
pub(crate) mod private {
    pub use super::{
        handler::{HandledBy, register_method},
        handling::*,
        registry::Registry,
    };
}
