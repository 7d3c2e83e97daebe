//! Storing broadcasts in the log, in their order.

use super::log::once;
use async_nats::jetstream::{Context, publish::PublishAck};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use rooms_layer::rooms::adapter::AdapterError;
use std::{
    collections::VecDeque,
    future::{IntoFuture, pending},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

/// How many bytes the headers take besides the id.
pub(super) const HEADERS: usize = 64;
/// How many broadcasts wait to be sent.
const WAITING: usize = 16_384;
/// How many are sent before the first is known to be stored.
const FLYING: usize = 256;
/// How long storing one is tried. Below the time for which JetStream knows one that was sent before.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before those that failed are sent again.
const PAUSE: Duration = Duration::from_millis(200);

/// The way into the log.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(mpsc::Sender<Record>);

/// A broadcast to be stored.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) subject: String,
    pub(super) payload: Bytes,
    /// What JetStream knows it by, when it is sent again.
    pub(super) id: String,
    pub(super) tell: oneshot::Sender<Result<(), String>>,
}

impl Recorder {
    /// Starts the task that stores, which ends with the last of these.
    pub(crate) fn start(context: Context) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(store(context, waiting));
        Self(queue)
    }

    pub(super) fn record(&self, record: Record) -> Result<(), AdapterError> {
        let queued = self.0.try_send(record);
        queued.map_err(|_| AdapterError::new("too many broadcasts wait to be recorded"))
    }
}

/// A broadcast that was sent and is not known to be stored.
struct Flying {
    record: Record,
    since: Instant,
    stored: BoxFuture<'static, Result<(), String>>,
}

async fn store(context: Context, mut waiting: mpsc::Receiver<Record>) {
    let mut flying = VecDeque::<Flying>::new();
    loop {
        let stored = tokio::select! {
            record = waiting.recv(), if flying.len() < FLYING => match record {
                Some(record) => {
                    let stored = send(&context, &record).await;
                    let since = Instant::now();
                    flying.push_back(Flying { record, since, stored });
                    continue;
                }
                None if flying.is_empty() => return,
                // Nothing more comes; what was sent is still waited for.
                None => first(&mut flying).await,
            },
            stored = first(&mut flying) => stored,
        };
        match stored {
            Ok(()) => tell(flying.pop_front(), Ok(())),
            Err(error) => again(&context, &mut flying, &error).await,
        }
    }
}

/// Waits for what becomes of the one that was sent first.
async fn first(flying: &mut VecDeque<Flying>) -> Result<(), String> {
    match flying.front_mut() {
        Some(first) => first.stored.as_mut().await,
        None => pending().await,
    }
}

/// One was not stored, or it is not known: all behind it are sent again with it, so that their order stays. What was stored is
/// known to JetStream by its id.
async fn again(context: &Context, flying: &mut VecDeque<Flying>, error: &str) {
    tracing::debug!(error, "a broadcast is not recorded yet");
    sleep(PAUSE).await;
    while flying
        .front()
        .is_some_and(|first| first.since.elapsed() > PATIENCE)
    {
        tracing::error!(error, "a broadcast is given up, and nobody gets it");
        tell(flying.pop_front(), Err(error.to_owned()));
    }
    for one in flying {
        one.stored = send(context, &one.record).await;
    }
}

async fn send(context: &Context, record: &Record) -> BoxFuture<'static, Result<(), String>> {
    let (subject, payload) = (record.subject.clone(), record.payload.clone());
    let sent = context
        .publish_with_headers(subject, once(&record.id), payload)
        .await;
    Box::pin(async {
        let stored = sent.map_err(|error| error.to_string())?.into_future().await;
        let _: PublishAck = stored.map_err(|error| error.to_string())?;
        Ok(())
    })
}

fn tell(flying: Option<Flying>, told: Result<(), String>) {
    if let Some(flying) = flying {
        // Whoever asked may have gone.
        flying.record.tell.send(told).ok();
    }
}
