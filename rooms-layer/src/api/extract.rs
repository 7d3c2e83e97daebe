//! What a handler's parameters are made from.

use super::{
    registry::Shared,
    respond::{Outcome, Replied, RepliedAs, Responder},
    socket::Socket,
};
use crate::{
    contract::{Event, Io, Namespace, Rejection, bounds::AckShape},
    handshake::HandshakeInfo,
    namespace,
    wire::{Args, Data, DecodeError},
};
use serde::Deserialize;
use std::{any::type_name, fmt, marker::PhantomData, sync::Arc};

/// One incoming event on its way to its handler: what [`FromMessage`] has to work with.
pub struct Call<N: Namespace> {
    socket: Socket<N>,
    shared: Arc<Shared<N>>,
    event: namespace::Event,
}

impl<N: Namespace> Call<N> {
    pub(crate) fn new(socket: Socket<N>, shared: Arc<Shared<N>>, event: namespace::Event) -> Self {
        Call {
            socket,
            shared,
            event,
        }
    }

    /// The client that sent the event.
    pub fn socket(&self) -> &Socket<N> {
        &self.socket
    }

    /// The state of the namespace.
    pub fn state(&self) -> &N::State {
        &self.shared.state
    }

    /// The event's name on the wire.
    pub fn event_name(&self) -> &str {
        self.event.name()
    }

    /// Reads an argument of the event, as a type of the caller's choice. It may borrow.
    ///
    /// # Errors
    ///
    /// Fails when there is no such argument, or when it has another form than `T`.
    pub fn get<'de, T: Deserialize<'de>>(&'de self, index: usize) -> Result<T, DecodeError> {
        self.event.args().get(index)
    }

    /// What is kept of the HTTP request that opened the connection.
    pub fn handshake(&self) -> &HandshakeInfo {
        self.socket.handshake()
    }

    /// Whether the client asked for an acknowledgement.
    pub fn wants_ack(&self) -> bool {
        self.event.reply.is_some()
    }

    #[doc(hidden)]
    pub fn args(&self) -> &Args {
        self.event.args()
    }

    pub(crate) fn into_parts(self) -> (Socket<N>, namespace::Event) {
        (self.socket, self.event)
    }

    /// Answers the client with what the handler came to.
    pub(crate) fn conclude(&self, outcome: Outcome, answer: fn(&Rejection) -> Option<Data>) {
        let reply = self.event.reply.clone();
        match outcome {
            Ok(done) => {
                if let (Some(reply), Some(data)) = (reply, done.into_data()) {
                    reply.send(data);
                }
            }
            Err(rejection) => {
                let rejected = (self.event_name(), &rejection);
                self.shared.reject(&self.socket, rejected, reply, answer);
            }
        }
    }
}

impl<N: Namespace> fmt::Debug for Call<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("event", &self.event_name())
            .field("socket", self.socket.id())
            .finish_non_exhaustive()
    }
}

/// A parameter of a handler for `E` in namespace `N`: every parameter but the last, which is the event.
///
/// Implement it for extractors of your own:
///
/// ```
/// # use rooms_layer::{prelude::*, Call, FromMessage, Rejection};
/// /// The language that the browser asked for.
/// struct Language(String);
///
/// impl<N: Namespace, E: Event> FromMessage<N, E> for Language {
///     fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
///         let header = call.handshake().header("accept-language").unwrap_or(b"en");
///         Ok(Language(String::from_utf8_lossy(header).into_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor for `{E}` handlers in namespace `{N}`",
    label = "can't be extracted from the incoming packet",
    note = "parameters before the last one are extractors: `Socket<{N}>`, `Io<{N}>`, `State<T>`, `Ack<{E}>`, `Option<T>`; the last one is the event"
)]
pub trait FromMessage<N: Namespace, E: Event>: Sized {
    /// Makes the parameter.
    ///
    /// # Errors
    ///
    /// Fails with what the client shall read, where the acknowledgement of `E` can carry it.
    fn from_message(call: &Call<N>) -> Result<Self, Rejection>;
}

impl<N: Namespace, E: Event> FromMessage<N, E> for Socket<N> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(call.socket.clone())
    }
}
impl<N: Namespace, E: Event> FromMessage<N, E> for Io<N> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(call.socket.io())
    }
}
/// What is kept of the HTTP request that opened the connection.
impl<N: Namespace, E: Event> FromMessage<N, E> for Arc<HandshakeInfo> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(call.socket.peer().handshake().clone())
    }
}
impl<N: Namespace, E: Event, T: FromMessage<N, E>> FromMessage<N, E> for Option<T> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(T::from_message(call).ok())
    }
}
impl<N: Namespace, E: Event, T: FromMessage<N, E>> FromMessage<N, E> for Result<T, Rejection> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(T::from_message(call))
    }
}

/// An extension of the HTTP request that opened the connection, as a parameter of a handler; one that
/// [`Config::keep_extension`](crate::Config::keep_extension) names, put there by a tower layer around ours.
///
/// Where the request has none, the event is rejected; take an `Option<Extension<T>>` where it may be missing.
///
/// ```
/// # use rooms_layer::{prelude::*, Config, Extension};
/// # #[derive(Event)] #[event(client, ack = String)] struct WhoAmI;
/// /// Whom the session cookie belongs to: a layer that looks sessions up says so.
/// #[derive(Clone)]
/// struct User(String);
///
/// #[handler(Main)]
/// async fn who_am_i(Extension(User(name)): Extension<User>, _: WhoAmI) -> String {
///     name
/// }
///
/// let rooms = RoomsLayer::new().config(Config::default().keep_extension::<User>()).on(who_am_i);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Extension<T>(pub T);

impl<N, E, T> FromMessage<N, E> for Extension<T>
where
    N: Namespace,
    E: Event,
    T: Clone + Send + Sync + 'static,
{
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        match call.handshake().extension::<T>() {
            Some(extension) => Ok(Extension(extension.clone())),
            None => {
                let extension = type_name::<T>();
                tracing::debug!(
                    extension,
                    "the request had no such extension, or it is not kept"
                );
                Err(Rejection::Refused(
                    "the request lacks an extension".to_owned(),
                ))
            }
        }
    }
}

/// The right to acknowledge event `E` before the handler ends.
///
/// The handler must return the [`Replied`] that [`send`](Ack::send) yields, so that an answer can't be forgotten and can't be
/// given twice.
///
/// ```
/// # use rooms_layer::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(client, ack = bool)]
/// struct Import {
///     url: String,
/// }
///
/// #[handler(Main)]
/// async fn import(ack: Ack<Import>, Import { url }: Import) -> Replied<Import> {
///     let replied = ack.send(true); // The client goes on from here.
///     println!("now fetching {url}");
///     replied
/// }
/// ```
#[must_use = "the client waits for this acknowledgement"]
pub struct Ack<E> {
    reply: Option<namespace::Reply>,
    event: PhantomData<fn() -> E>,
}

impl<N: Namespace, E: Event> FromMessage<N, E> for Ack<E> {
    fn from_message(call: &Call<N>) -> Result<Self, Rejection> {
        Ok(Ack {
            reply: call.event.reply.clone(),
            event: PhantomData,
        })
    }
}

impl<E: Event> Ack<E> {
    /// Acknowledges the event now. Where the client asked for no acknowledgement, nothing is sent.
    pub fn send(self, out: <E::Ack as AckShape>::Out) -> Replied<E>
    where
        <E::Ack as AckShape>::Out: Responder<E>,
    {
        let sent = Responder::<E>::respond(out).map(|done| {
            if let (Some(reply), Some(data)) = (self.reply, done.into_data()) {
                reply.send(data);
            }
        });
        RepliedAs::new(sent)
    }
}

impl<E> fmt::Debug for Ack<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").finish_non_exhaustive()
    }
}
