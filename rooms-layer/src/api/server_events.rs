//! Events between servers.

use super::{ack::AnswerRejection, registry::ServerEntry, respond::Responder};
use crate::{
    contract::{
        Error, Event, Io, Namespace,
        bounds::{
            AckShape, CanQuery, CanServerEmit, ClusterEvent, DecodeAck, DecodeOwned, EncodeArgs,
            WithAck, WithoutAck,
        },
        encode,
    },
    namespace::ServerReplies,
    rooms::{AckError, Sent},
};
use futures_core::Stream;
use std::{
    any::type_name,
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// What adapters with a bus between servers can do.
impl<N: Namespace, B: CanQuery> Io<N, B> {
    /// Tells all other servers of an event that is `#[event(cluster)]`. Their
    /// [`on_server_event`](crate::Serve::on_server_event) handlers run; this server's do not.
    ///
    /// What one server tells reaches each other one at most once. Their handlers are started in no particular order.
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed; nothing was sent then.
    pub fn server_side_emit<E>(&self, event: E) -> Result<Sent, Error>
    where
        B: CanServerEmit,
        E: Event,
        E::This: ClusterEvent + WithoutAck + EncodeArgs,
    {
        let data = encode(&event)?;
        Ok(self.core().tell(&data)?)
    }

    /// Tells all other servers of an event now, and yields what each of them answers, for as long as
    /// [`Config::ack_timeout`](crate::Config::ack_timeout) says.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, bounds::CanServerEmit, Error};
    /// # use serde::{Deserialize, Serialize};
    /// /// How many users each server serves.
    /// #[derive(Event, Serialize, Deserialize)]
    /// #[event(cluster, ack = usize)]
    /// struct CountUsers;
    ///
    /// # fn serve() -> impl Sized {
    /// Main::serve(()).on_server_event(async |io: Io<Main>, _: CountUsers| io.count().await)
    /// # }
    ///
    /// async fn users<A: CanServerEmit>(io: Io<Main, A>) -> Result<usize, Error> {
    ///     let mut users = io.count().await;
    ///     let mut others = io.server_side_emit_with_ack(CountUsers)?;
    ///     while let Some(count) = others.next().await {
    ///         users += count?;
    ///     }
    ///     println!("{} servers did not answer", others.missing());
    ///     Ok(users)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails when the event can't be encoded or the server is closed; nothing was sent then.
    pub fn server_side_emit_with_ack<E>(&self, event: E) -> Result<ServerAcks<E::Ack>, Error>
    where
        B: CanServerEmit,
        E: Event,
        E::This: ClusterEvent + WithAck + EncodeArgs,
        E::Ack: DecodeAck,
    {
        let timeout = self.core().ack_timeout();
        self.server_side_emit_with_ack_within(timeout, event)
    }

    /// [`server_side_emit_with_ack`](Self::server_side_emit_with_ack) with a deadline of its own.
    ///
    /// # Errors
    ///
    /// See [`server_side_emit_with_ack`](Self::server_side_emit_with_ack).
    pub fn server_side_emit_with_ack_within<E>(
        &self,
        deadline: Duration,
        event: E,
    ) -> Result<ServerAcks<E::Ack>, Error>
    where
        B: CanServerEmit,
        E: Event,
        E::This: ClusterEvent + WithAck + EncodeArgs,
        E::Ack: DecodeAck,
    {
        let data = encode(&event)?;
        Ok(ServerAcks {
            replies: self.core().ask_servers(&data, deadline)?,
            shape: PhantomData,
        })
    }
}

/// What the other servers answer to an event: a stream with one item for each that answers in time. It ends when all have
/// answered, or at the deadline.
#[must_use = "answers are waited for only as long as this is kept"]
pub struct ServerAcks<A> {
    replies: ServerReplies,
    shape: PhantomData<fn() -> A>,
}

impl<A: DecodeAck> ServerAcks<A> {
    /// Waits for the next answer; `None` when there is nobody left to wait for.
    ///
    /// # Cancel safety
    ///
    /// No answer is lost when this is dropped.
    pub async fn next(&mut self) -> Option<Result<A::Out, AckError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// How many servers did not answer: known at the end.
    pub fn missing(&self) -> usize {
        self.replies.missing()
    }
}

impl<A: DecodeAck> Stream for ServerAcks<A> {
    type Item = Result<<A as AckShape>::Out, AckError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let decode = |args| A::decode(&args).map_err(AckError::Decode);
        let next = Pin::new(&mut self.replies).poll_next(cx);
        next.map(|args| args.map(decode))
    }
}

impl<A> fmt::Debug for ServerAcks<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerAcks").finish_non_exhaustive()
    }
}

/// Forgets the type of a handler.
pub(super) fn entry<N, E, F, Fut>(handler: F) -> ServerEntry<N>
where
    N: Namespace,
    E: Event + ClusterEvent + DecodeOwned + Send + 'static,
    E::Ack: AnswerRejection,
    F: Fn(Io<N>, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Responder<E>> + Send + 'static,
{
    let handler = Arc::new(handler);
    ServerEntry {
        handler: type_name::<F>(),
        run: Box::new(move |io, args| {
            let handler = handler.clone();
            Box::pin(async move {
                let outcome = match E::decode(&args) {
                    Ok(event) => handler(io, event).await.respond(),
                    Err(rejection) => Err(rejection),
                };
                match outcome {
                    Ok(answer) => answer.into_data(),
                    Err(rejection) => {
                        tracing::warn!(event = E::NAME, %rejection, "could not handle an event of another server");
                        E::Ack::answer(&rejection)
                    }
                }
            })
        }),
    }
}
