//! The acknowledgements of an emit, typed.

use super::ack::{AckShape, DecodeAck};
use crate::rooms::{AckError, Replies, SocketId};
use futures_core::Stream;
use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

/// The acknowledgements of an emit to rooms: a stream with one item for each socket that was addressed.
///
/// It ends when everyone has answered, or at the deadline. Dropping it stops the waiting; the event was sent anyway.
///
/// Of a server that does not answer nobody knows which sockets it has: they are not among the items, and the server is counted by
/// [`missing_servers`](Self::missing_servers).
///
/// ```
/// # use rooms_layer::{prelude::*, Error};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Room)] enum Room { Project(u64) }
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(server, ack = bool, to(Room::Project))]
/// struct ConfirmDelete {
///     id: u64,
/// }
///
/// async fn votes(io: Io<Main>, id: u64) -> Result<usize, Error> {
///     let votes = io.to(Room::project(id)).emit_with_ack(ConfirmDelete { id })?.collect().await;
///     Ok(votes.iter().filter(|(_socket, vote)| matches!(vote, Ok(true))).count())
/// }
/// ```
#[must_use = "acknowledgements are waited for only as long as this is kept"]
pub struct Acks<A> {
    replies: Replies,
    shape: PhantomData<fn() -> A>,
}

impl<A: DecodeAck> Acks<A> {
    pub(crate) fn new(replies: Replies) -> Self {
        Acks {
            replies,
            shape: PhantomData,
        }
    }

    /// Waits for the next acknowledgement; `None` when there is nobody left to wait for.
    ///
    /// # Cancel safety
    ///
    /// No acknowledgement is lost when this is dropped.
    pub async fn next(&mut self) -> Option<(SocketId, Result<A::Out, AckError>)> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// How many servers of the cluster did not answer, so that their sockets are missing: known at the end. Always 0 for a server
    /// that is alone.
    ///
    /// ```
    /// # use rooms_layer::{prelude::*, Error};
    /// # #[derive(Event)]
    /// # #[event(server, ack = bool, broadcast)]
    /// # struct Ready;
    /// async fn all_are_ready(io: Io<Main>) -> Result<bool, Error> {
    ///     let mut answers = io.emit_with_ack(Ready)?;
    ///     while let Some((_socket, is_ready)) = answers.next().await {
    ///         if !matches!(is_ready, Ok(true)) {
    ///             return Ok(false);
    ///         }
    ///     }
    ///     Ok(answers.missing_servers() == 0)
    /// }
    /// ```
    pub fn missing_servers(&self) -> usize {
        self.replies.missing_servers()
    }

    /// Waits for all acknowledgements. Where a cluster may have servers that do not answer, and that matters, take them one by one:
    /// [`missing_servers`](Self::missing_servers) is asked at the end.
    pub async fn collect(mut self) -> Vec<(SocketId, Result<A::Out, AckError>)> {
        let mut all = Vec::new();
        while let Some(one) = self.next().await {
            all.push(one);
        }
        all
    }
}

impl<A: DecodeAck> Stream for Acks<A> {
    type Item = (SocketId, Result<<A as AckShape>::Out, AckError>);

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.replies).poll_next(cx).map(|item| {
            item.map(|(socket, reply)| {
                let decoded = reply.and_then(|args| A::decode(&args).map_err(AckError::Decode));
                (socket, decoded)
            })
        })
    }
}

impl<A> fmt::Debug for Acks<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acks").finish_non_exhaustive()
    }
}
