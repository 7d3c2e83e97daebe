//! Acknowledgements that are waited for.

use super::{Peer, gather::GRACE};
use crate::{
    rooms::{
        AckError, Awaited, SocketId,
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

/// How many sockets may be told of that have not answered. Servers say how many they have asked, and may say anything.
const MOST_UNANSWERED: usize = 1 << 20;

/// The answers to one emit: an item for each socket that was addressed, an error where it did not answer, then the end. Sockets of
/// a server that does not answer are not among them.
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
    /// How many sockets of other servers have not answered and are still to be told of.
    unanswered: usize,
    missing: usize,
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
            unanswered: 0,
            missing: 0,
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
                    let all = self.unanswered.saturating_add(sockets);
                    self.unanswered = all.min(MOST_UNANSWERED);
                }
                Poll::Ready(Some(Answer::Missing(servers))) => {
                    self.missing = self.missing.saturating_add(servers);
                }
                // Answers to other questions.
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => {
                    self.remote = None;
                    break;
                }
                Poll::Pending => break,
            }
        }
        if self.unanswered > 0 {
            self.unanswered -= 1;
            return Poll::Ready(Some((SocketId::anonymous(), Err(AckError::Timeout))));
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

    /// Gives up on the sockets of this server that have not answered.
    fn expire(&mut self) {
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
        let this = &mut *self;
        // An adapter keeps the deadline itself, and says then who is missing.
        for deadline in [this.deadline, this.deadline + GRACE] {
            let sleep = this
                .sleep
                .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if sleep.deadline() < deadline {
                sleep.as_mut().reset(deadline);
            }
            ready!(sleep.as_mut().poll(cx));
            this.expire();
            if let Poll::Ready(item) = this.poll_arrived(cx) {
                return Poll::Ready(item);
            }
        }
        if this.remote.take().is_some() {
            this.missing = this.missing.max(1);
        }
        this.poll_arrived(cx)
    }
}

impl Awaited for Replies {
    fn missing_servers(&self) -> usize {
        self.missing
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        for peer in &self.asked {
            peer.forget_ack(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt, stream};
    use std::time::Duration;

    /// Answers of others alone, who may take a second.
    fn of_others(answers: impl Stream<Item = Answer> + Send + 'static) -> Replies {
        let deadline = Instant::now() + Duration::from_secs(1);
        let remote: Answers = Box::pin(answers);
        Replies::new(Arc::default(), 0, Vec::new(), Some(remote), deadline)
    }

    /// The items, until there is none more.
    async fn all(replies: &mut Replies) -> Vec<String> {
        let mut all = Vec::new();
        while let Some((_, answer)) = replies.next().await {
            all.push(match answer {
                Ok(args) => args.get::<String>(0).unwrap(),
                Err(error) => error.to_string(),
            });
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_missing_is_told_however_late_the_adapter_says_so() {
        for late in [Duration::ZERO, GRACE / 2] {
            let args = Args::from_values(&["yes".into()]).unwrap();
            let yes = stream::iter([Answer::Acked(SocketId::anonymous(), args)]);
            let deadline = Instant::now() + Duration::from_secs(1);
            let end = async move {
                sleep_until(deadline + late).await;
                stream::iter([Answer::Unanswered(1), Answer::Missing(2)])
            };
            let mut replies = of_others(yes.chain(end.flatten_stream()));
            let timeout = AckError::Timeout.to_string();
            assert_eq!(replies.missing_servers(), 0, "nothing is known yet");
            assert_eq!(all(&mut replies).await, ["yes", &*timeout]);
            assert_eq!(replies.missing_servers(), 2);
            assert_eq!(Instant::now(), deadline + late);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_adapter_that_forgets_its_deadline_is_missing() {
        let mut replies = of_others(stream::pending());
        let begun = Instant::now();
        assert_eq!(all(&mut replies).await, [""; 0]);
        assert_eq!(replies.missing_servers(), 1);
        assert_eq!(begun.elapsed(), Duration::from_secs(1) + GRACE);
        assert!(replies.next().await.is_none(), "it stays at its end");
        assert_eq!(replies.missing_servers(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_anything_takes_no_memory() {
        let told = [
            Answer::Unanswered(usize::MAX),
            Answer::Unanswered(usize::MAX),
        ];
        let mut replies = of_others(stream::iter(told));
        let mut told = 0;
        while let Some((_, answer)) = replies.next().await {
            assert!(matches!(answer, Err(AckError::Timeout)));
            told += 1;
        }
        assert_eq!(told, MOST_UNANSWERED);
    }
}
