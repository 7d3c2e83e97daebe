//! Sockets of any server of a cluster.

use super::{
    bounds::{EmittedBy, EncodeArgs, HasRooms, ServerEvent, Target, WithoutAck},
    capability::Any,
    emit::To,
    error::Error,
    event::Event,
    namespace::Namespace,
    room::{Direct, RoomSet},
};
use crate::rooms::{
    Changed, Sent, SocketId,
    adapter::{Command, HandshakeSummary, SocketInfo},
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// A socket of this server or another one, as it was when [`fetch_sockets`](To::fetch_sockets) asked; and a way to reach it.
///
/// ```
/// # use rooms_layer::{prelude::*, Error};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Room)] enum Room { Project(u64) }
/// #[derive(Default, Serialize, Deserialize)]
/// struct Session {
///     user: String,
/// }
///
/// #[derive(Namespace)]
/// #[namespace(path = "/", data = Session, rooms(Room))]
/// struct App;
///
/// async fn who_is_in(io: Io<App>, project: u64) -> Result<Vec<String>, Error> {
///     let sockets = io.to(Room::project(project)).fetch_sockets().await?;
///     Ok(sockets.iter().filter_map(|socket| Some(socket.data().ok()?.user)).collect())
/// }
/// ```
pub struct RemoteSocket<N: Namespace> {
    info: SocketInfo,
    to: To<N, Any, Direct>,
}

impl<N: Namespace> RemoteSocket<N> {
    pub(crate) fn new(info: SocketInfo, to: To<N, Any, Direct>) -> Self {
        Self { info, to }
    }

    /// The id that addresses the socket.
    pub fn id(&self) -> &SocketId {
        &self.info.id
    }

    /// The rooms of the set `R` that the socket was in.
    pub fn rooms<R: RoomSet>(&self) -> Vec<R>
    where
        N: HasRooms<R>,
    {
        let rooms = self.info.rooms.iter();
        rooms.filter_map(|name| R::parse(name)).collect()
    }

    /// The names of all rooms that the socket was in, its own id among them.
    pub fn room_names(&self) -> impl Iterator<Item = &str> {
        self.info.rooms.iter().map(|name| &**name)
    }

    /// What the socket carried.
    ///
    /// # Errors
    ///
    /// Fails when the data can't be serialised (then servers do not tell of it), or is something else than `N::Data`, as that
    /// of a server of another version may be.
    pub fn data(&self) -> Result<N::Data, NoData>
    where
        N::Data: DeserializeOwned,
    {
        match &self.info.data {
            Some(data) => Ok(serde_json::from_str(data.get())?),
            None => serde_json::from_str("null").map_err(|_| NoData::NotTold),
        }
    }

    /// What there is to know of the request that opened the connection; `None` where the other server did not tell, or told
    /// something else.
    pub fn handshake(&self) -> Option<HandshakeSummary> {
        let handshake = self.info.handshake.as_ref()?;
        serde_json::from_str(handshake.get()).ok()
    }

    /// Makes the socket join a room, or several.
    pub fn join<T: Target<N>>(&self, target: T) -> Changed {
        self.to.join(target)
    }

    /// Makes the socket leave a room, or several.
    pub fn leave<T: Target<N>>(&self, target: T) -> Changed {
        self.to.leave(target)
    }

    /// Disconnects the client from the namespace; its other namespaces stay.
    pub fn disconnect(&self) -> Changed {
        self.to.command(Command::Disconnect { close: false })
    }

    /// Disconnects the client from all namespaces and ends its connection.
    pub fn close(&self) -> Changed {
        self.to.command(Command::Disconnect { close: true })
    }

    /// Emits an event to the client.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed.
    pub fn emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        E: Event,
        E::This: ServerEvent + EmittedBy<N> + WithoutAck + EncodeArgs,
    {
        self.to.send(&event)
    }
}

impl<N: Namespace> fmt::Debug for RemoteSocket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSocket")
            .field("id", self.id())
            .field("rooms", &self.info.rooms)
            .finish_non_exhaustive()
    }
}

/// Why what a socket carries is not known here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoData {
    /// The data of the namespace can't be serialised.
    #[error(
        "the server that has the socket does not tell its data: it does not implement `Serialize`"
    )]
    NotTold,
    /// It is something else than the data of the namespace.
    #[error("the socket carries something else than the data of its namespace")]
    Decode(#[from] serde_json::Error),
}

/// The data of a socket, of which only the compiler knows whether it can be serialised. `(&Data(data)).json()` finds
/// [`AsJson`] first where it can, and else [`NoJson`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Data<'a, T>(pub &'a T);

#[doc(hidden)]
pub trait AsJson {
    fn json(&self) -> Option<String>;
}
impl<T: Serialize> AsJson for Data<'_, T> {
    fn json(&self) -> Option<String> {
        serde_json::to_string(self.0).ok()
    }
}

#[doc(hidden)]
pub trait NoJson {
    fn json(&self) -> Option<String>;
}
impl<T> NoJson for &Data<'_, T> {
    fn json(&self) -> Option<String> {
        None
    }
}
