//! Many subscriptions, read as one: in the order in which their messages came over the connection.

use async_nats::Subscriber;
use futures_util::{
    Stream, StreamExt,
    stream::{AbortHandle, Abortable, SelectAll, abortable},
};
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
use tokio::task::unconstrained;

/// The subscriptions of a server.
///
/// The client of NATS gives each subscription a queue of its own, so the order between them is lost. But it fills these queues in
/// the order in which messages come, one after the other. So whoever takes out *everything* that is in them has a batch without
/// gaps: what is not in it came later than all that is in it. Within a batch, the numbers that senders give their messages tell
/// the order.
pub(crate) struct Inbox<S: Stream = Subscriber> {
    streams: SelectAll<Pin<Box<Abortable<S>>>>,
}

/// One subscription, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Subscribed(AbortHandle);

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<S: Stream + Send> Inbox<S> {
    pub(crate) fn new() -> Self {
        Self {
            streams: SelectAll::new(),
        }
    }

    /// Reads a subscription from now on.
    pub(crate) fn add(&mut self, subscriber: S) -> Subscribed {
        let (stream, handle) = abortable(subscriber);
        self.streams.push(Box::pin(stream));
        Subscribed(handle)
    }

    /// Waits for messages, and takes out all that are there.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when this is dropped.
    pub(crate) async fn batch(&mut self) -> Vec<S::Item> {
        // Tokio's budget would have queues say that they are empty when they are not.
        unconstrained(poll_fn(|cx| self.poll_batch(cx))).await
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Vec<S::Item>> {
        let mut batch = Vec::new();
        match self.streams.poll_next_unpin(cx) {
            Poll::Ready(Some(first)) => batch.push(first),
            // Without subscriptions there is nothing to come.
            Poll::Ready(None) | Poll::Pending => return Poll::Pending,
        }
        loop {
            // Streams that are woken while they are looked at are left for the next time. Then this is not all.
            let again = Arc::new(Again::default());
            let waker = Waker::from(again.clone());
            let mut cx = Context::from_waker(&waker);
            while let Poll::Ready(Some(next)) = self.streams.poll_next_unpin(&mut cx) {
                batch.push(next);
            }
            if !again.0.load(Ordering::Acquire) {
                return Poll::Ready(batch);
            }
        }
    }
}

/// Remembers that it was woken.
#[derive(Default)]
struct Again(AtomicBool);

impl Wake for Again {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::mpsc;

    struct Queue(mpsc::UnboundedReceiver<u32>);

    impl Stream for Queue {
        type Item = u32;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
            self.0.poll_recv(cx)
        }
    }

    fn queue(inbox: &mut Inbox<Queue>) -> (mpsc::UnboundedSender<u32>, Subscribed) {
        let (send, receive) = mpsc::unbounded_channel();
        (send, inbox.add(Queue(receive)))
    }

    #[tokio::test]
    async fn a_batch_is_all_that_is_there() {
        let mut inbox = Inbox::new();
        let (one, _first) = queue(&mut inbox);
        let (other, second) = queue(&mut inbox);
        assert!(inbox.batch().now_or_never().is_none());
        for number in 0..1_000 {
            let queue = if number % 3 == 0 { &one } else { &other };
            queue.send(number).expect("it is read");
        }
        let mut batch = inbox.batch().await;
        batch.sort_unstable();
        assert_eq!(batch, (0..1_000).collect::<Vec<_>>());

        drop(second);
        one.send(1).expect("it is read");
        other.send(2).ok();
        assert_eq!(
            inbox.batch().await,
            [1],
            "what nobody subscribes to any more is not read"
        );
    }

    /// Has an item, and says so only when it is asked for the second time.
    struct Shy(u32);

    impl Stream for Shy {
        type Item = u32;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
            self.0 += 1;
            match self.0 {
                1 => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                2 => Poll::Ready(Some(2)),
                _ => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn whoever_is_woken_while_it_is_looked_at_is_in_the_batch() {
        let mut inbox = Inbox::new();
        // One that has something at once, so that the batch begins.
        let _subscribed: Vec<_> = [1, 0, 0, 0].map(|asked| inbox.add(Shy(asked))).into();
        assert_eq!(inbox.batch().await, [2, 2, 2, 2]);
    }

    /// The order that a connection gives is whole, whichever queues its messages take, while they come.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn batches_in_a_row_are_in_order() {
        const COUNT: u32 = 200_000;
        let mut inbox = Inbox::new();
        let queues: Vec<_> = (0..50).map(|_| queue(&mut inbox)).collect();
        let senders: Vec<_> = queues.iter().map(|(send, _)| send.clone()).collect();
        let writer = std::thread::spawn(move || {
            let mut place = 1;
            for number in 0..COUNT {
                // Any order that is not a round.
                place = (place * 31 + 7) % 50;
                senders[place].send(number).expect("it is read");
            }
        });
        let mut next = 0;
        while next < COUNT {
            let mut batch = inbox.batch().await;
            batch.sort_unstable();
            for number in batch {
                assert_eq!(number, next, "something was left behind");
                next += 1;
            }
        }
        writer.join().expect("it does not panic");
    }
}
