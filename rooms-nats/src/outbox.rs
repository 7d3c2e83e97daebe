//! What waits for NATS: a queue that is filled without waiting, and emptied in its order.

use crate::{
    NatsConfig,
    protocol::{BadMessage, Header},
    subjects::Subjects,
};
use async_nats::Client;
use bytes::Bytes;
use rooms_layer::rooms::adapter::{AdapterError, Confirmed, Health};
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot, watch};

/// The way out. Clones fill the same queue.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Out>,
    shared: Arc<Shared>,
}

/// The same, for whoever must not keep the queue open.
#[derive(Debug)]
pub(crate) struct WeakOutbox {
    queue: mpsc::WeakSender<Out>,
    shared: Arc<Shared>,
}

impl WeakOutbox {
    pub(crate) fn upgrade(&self) -> Option<Outbox> {
        let queue = self.queue.upgrade()?;
        let shared = self.shared.clone();
        Some(Outbox { queue, shared })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// What a server is known by, and what it may send.
#[derive(Debug)]
pub(crate) struct Shared {
    own: Box<str>,
    subjects: Subjects,
    next: AtomicU64,
    waiting_bytes: Arc<AtomicUsize>,
    max_waiting_bytes: usize,
    /// Something was not sent, and that was logged.
    is_refusing: AtomicBool,
    health: watch::Receiver<Health>,
    max_payload: AtomicUsize,
}

/// What is to be done, in order.
#[derive(Debug)]
pub(crate) enum Out {
    Publish(Parcel),
    /// Tell when NATS has everything before this.
    Confirm(oneshot::Sender<Result<(), String>>),
    /// Say goodbye, and end.
    Close(oneshot::Sender<Result<(), String>>),
}

/// A message on its way to NATS.
#[derive(Debug)]
pub(crate) struct Parcel {
    subject: String,
    payload: Bytes,
    waiting: Arc<AtomicUsize>,
}

impl Parcel {
    /// Hands it to the client of NATS.
    pub(crate) async fn publish(self, client: &Client) {
        let published = client.publish(self.subject.clone(), self.payload.clone());
        if let Err(error) = published.await {
            tracing::warn!(%error, subject = self.subject, "a message to the other servers is lost");
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.waiting
            .fetch_sub(self.payload.len(), Ordering::Relaxed);
    }
}

impl Shared {
    /// This server, as others know it.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    pub(crate) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// The longest message that NATS takes.
    pub(crate) fn max_payload(&self) -> usize {
        self.max_payload.load(Ordering::Relaxed)
    }

    /// NATS has told how long messages may be.
    pub(crate) fn set_max_payload(&self, bytes: usize) {
        self.max_payload.store(bytes, Ordering::Relaxed);
    }

    /// The header of the next message.
    pub(crate) fn header(&self) -> Header<'_> {
        Header {
            from: &self.own,
            number: self.next.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Deref for Outbox {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Outbox {
    pub(crate) fn new(
        config: &NatsConfig,
        subjects: Subjects,
        max_payload: usize,
        health: watch::Receiver<Health>,
    ) -> (Self, mpsc::Receiver<Out>) {
        let (queue, out) = mpsc::channel(config.max_waiting);
        let shared = Shared {
            own: format!("{:032x}", rand::random::<u128>()).into(),
            subjects,
            next: AtomicU64::new(0),
            waiting_bytes: Arc::default(),
            max_waiting_bytes: config.max_waiting_bytes,
            is_refusing: AtomicBool::new(false),
            health,
            max_payload: AtomicUsize::new(max_payload),
        };
        let shared = Arc::new(shared);
        (Self { queue, shared }, out)
    }

    pub(crate) fn downgrade(&self) -> WeakOutbox {
        WeakOutbox {
            queue: self.queue.downgrade(),
            shared: self.shared.clone(),
        }
    }

    /// Fails while NATS is out of reach.
    pub(crate) fn check(&self) -> Result<(), AdapterError> {
        match &*self.shared.health.borrow() {
            Health::Down { cause } => Err(AdapterError::new(cause)),
            _ => Ok(()),
        }
    }

    /// Fails where a message is longer than NATS takes.
    pub(crate) fn check_length(&self, length: usize) -> Result<(), AdapterError> {
        let limit = self.max_payload();
        match length <= limit {
            true => Ok(()),
            false => Err(AdapterError::new(format_args!(
                "the message has {length} bytes, and NATS takes {limit}: set `max_payload` of nats-server higher, or send less"
            ))),
        }
    }

    /// Queues a message. What is returned is confirmed when NATS has it.
    pub(crate) fn send(&self, subject: String, payload: Bytes) -> Confirmed {
        match self.try_send(subject, payload) {
            Ok(()) => self.confirmed(),
            Err(error) => Confirmed::when(std::future::ready(Err(error))),
        }
    }

    /// Queues a message.
    ///
    /// What can't be sent now is not sent later: who is told of something late is told something that is not so any more.
    pub(crate) fn try_send(&self, subject: String, payload: Bytes) -> Result<(), AdapterError> {
        let queued = self.queue(subject, payload);
        let is_refusing = queued.is_err();
        let was_refusing = self.shared.is_refusing.swap(is_refusing, Ordering::Relaxed);
        if let Err(error) = &queued
            && !was_refusing
        {
            tracing::warn!(%error, "a message to the other servers is not sent; others are not told of until one is");
        }
        queued
    }

    fn queue(&self, subject: String, payload: Bytes) -> Result<(), AdapterError> {
        let (shared, length) = (&self.shared, payload.len());
        self.check_length(length)?;
        self.check()?;
        let before = shared.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        let parcel = Parcel {
            subject,
            payload,
            waiting: shared.waiting_bytes.clone(),
        };
        if before + length > shared.max_waiting_bytes {
            return Err(AdapterError::new("too many bytes wait for NATS"));
        }
        let sent = self.queue.try_send(Out::Publish(parcel));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                AdapterError::new("too many messages wait for NATS")
            }
            mpsc::error::TrySendError::Closed(_) => AdapterError::new("the adapter is closed"),
        })
    }

    /// Confirmed when NATS has all that was queued until now.
    pub(crate) fn confirmed(&self) -> Confirmed {
        self.after(Out::Confirm)
    }

    /// Confirmed when NATS knows that this server has closed.
    pub(crate) fn close(&self) -> Confirmed {
        let (tell, told) = oneshot::channel();
        let outbox = self.clone();
        // Also where nobody waits: the queue has place for it, or is so full that nobody learns of anything.
        match self.queue.try_send(Out::Close(tell)) {
            Ok(()) => Confirmed::when(async move { outbox.wait(told).await }),
            Err(_) => Confirmed::now(),
        }
    }

    fn after(&self, out: fn(oneshot::Sender<Result<(), String>>) -> Out) -> Confirmed {
        let outbox = self.clone();
        Confirmed::when(async move {
            let (tell, told) = oneshot::channel();
            // Nothing is asked of NATS where nobody waits.
            let sent = outbox.queue.send(out(tell)).await;
            sent.map_err(|_| AdapterError::new("the adapter is closed"))?;
            outbox.wait(told).await
        })
    }

    async fn wait(&self, told: oneshot::Receiver<Result<(), String>>) -> Result<(), AdapterError> {
        match told.await {
            Ok(told) => told.map_err(AdapterError::new),
            Err(_) => Err(AdapterError::new("the adapter is closed")),
        }
    }
}

/// Logs what can't be read. It came from somebody who shares our NATS, and says nothing that anybody waits for.
pub(crate) fn log_bad(error: &BadMessage, subject: &str, length: usize) {
    tracing::warn!(%error, subject, length, "a message on a subject of ours can't be read, and is dropped");
}
