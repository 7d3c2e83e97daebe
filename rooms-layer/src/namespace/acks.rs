//! Acknowledgements that are waited for.

use super::Peer;
use crate::{
    rooms::{
        AckError, SocketId,
        adapter::{Answer, Answers},
    },
    sync::{Mutex, MutexGuard},
    wire::Args,
};
use futures_core::Stream;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};
use tokio::time::{Instant, Sleep, sleep_until};

type Item = (SocketId, Result<Args, AckError>);

/// Where the peers of one emit put their answers.
#[derive(Default)]
pub(super) struct Collector(Mutex<Collected>);

#[derive(Default)]
struct Collected {
    answers: VecDeque<Item>,
    /// How many answers are still to come.
    owed: usize,
    waiting: Option<Waker>,
}

impl Collector {
    fn state(&self) -> MutexGuard<'_, Collected> {
        self.0.lock().expect("no code panics under this lock")
    }

    /// One more answer is to come.
    pub(super) fn expect_one(&self) {
        self.state().owed += 1;
    }

    /// One that was to come is here.
    pub(super) fn put(&self, from: SocketId, answer: Result<Args, AckError>) {
        let mut state = self.state();
        state.owed -= 1;
        state.answers.push_back((from, answer));
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// The answers to one emit: an item for each socket of this server that was addressed (an error where it did not answer) and
/// for each of another server that answered, then the end.
///
/// # Cancel safety
///
/// Nothing is lost between two items. Dropping it stops waiting, and frees what the waiting took.
pub(crate) struct Replies {
    collector: Arc<Collector>,
    id: u64,
    /// Those asked, so that they can be told to forget. Emptied at the end.
    asked: Vec<Arc<Peer>>,
    remote: Option<Answers>,
    deadline: Instant,
    /// Made at the first poll, which is in a runtime; the emit need not be.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Replies {
    pub(super) fn new(
        collector: Arc<Collector>,
        id: u64,
        asked: Vec<Arc<Peer>>,
        remote: Option<Answers>,
        deadline: Instant,
    ) -> Self {
        Self {
            collector,
            id,
            asked,
            remote,
            deadline,
            sleep: None,
        }
    }

    /// What has arrived; `Pending` with the task registered if nothing has, `None` if nothing will.
    fn poll_arrived(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        while let Some(remote) = &mut self.remote {
            match remote.as_mut().poll_next(cx) {
                Poll::Ready(Some(Answer::Acked(from, args))) => {
                    return Poll::Ready(Some((from, Ok(args))));
                }
                Poll::Ready(Some(Answer::Unanswered(sockets))) => {
                    for _ in 0..sockets {
                        self.collector.expect_one();
                        self.collector
                            .put(SocketId::anonymous(), Err(AckError::Timeout));
                    }
                }
                // Answers to other questions, and what a server that is missing would have said.
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => {
                    self.remote = None;
                    break;
                }
                Poll::Pending => break,
            }
        }
        let mut state = self.collector.state();
        if let Some(item) = state.answers.pop_front() {
            return Poll::Ready(Some(item));
        }
        if state.owed == 0 && self.remote.is_none() {
            return Poll::Ready(None);
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Gives up on those who have not answered.
    fn expire(&mut self) {
        self.remote = None;
        for peer in self.asked.drain(..) {
            if peer.forget_ack(self.id) {
                self.collector
                    .put(peer.id().clone(), Err(AckError::Timeout));
            }
        }
    }
}

impl Stream for Replies {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        if let Poll::Ready(item) = self.poll_arrived(cx) {
            return Poll::Ready(item);
        }
        let deadline = self.deadline;
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        ready!(sleep.as_mut().poll(cx));
        self.expire();
        self.poll_arrived(cx)
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        for peer in &self.asked {
            peer.forget_ack(self.id);
        }
    }
}
