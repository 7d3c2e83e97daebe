//! Acknowledgements that are waited for.

use super::AckError;
use crate::{rooms::SocketId, wire::Args};
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// The answers to one emit: an item for each socket that was addressed, then the end. Dropping it stops waiting.
pub(crate) struct Replies;
impl Stream for Replies {
    type Item = (SocketId, Result<Args, AckError>);
    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        todo!()
    }
}
