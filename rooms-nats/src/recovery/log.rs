//! The log: one stream of JetStream.

use super::Offset;
use crate::{
    JetStreamConfig,
    cluster::Cluster,
    outbox::{Outbox, Shared, WeakOutbox, log_bad},
    protocol::{self, Body, Message},
};
use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        consumer::{AckPolicy, DeliverPolicy, pull, push},
        message::Message as Delivered,
        stream::{Config, DiscardPolicy, Stream},
    },
};
use futures_util::StreamExt;
use rooms_layer::rooms::adapter::{Broadcast, Health, Logged};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// How long a message is known by its id, so that one that is sent again is not stored twice.
const DUPLICATES: Duration = Duration::from_secs(120);
/// How many messages are read at once for a client that comes back.
const AT_ONCE: usize = 500;
/// How long JetStream may take for one question.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(200);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How much a client may have missed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) packets: usize,
    pub(super) bytes: usize,
}

/// The way to the stream.
pub(crate) struct Log {
    context: Context,
    config: Config,
    /// The stream that there is, and when it was made.
    open: Mutex<Option<(Stream, u64)>>,
    /// The last place that this server has delivered.
    delivered: watch::Sender<u64>,
}

impl Log {
    pub(crate) fn new(context: Context, shared: &Shared, config: &JetStreamConfig) -> Self {
        let subjects = shared.subjects();
        let config = Config {
            name: subjects.store("log"),
            subjects: vec![subjects.logs()],
            max_age: config.keep,
            max_messages_per_subject: config.max_packets.try_into().unwrap_or(i64::MAX),
            max_bytes: config.max_bytes.try_into().unwrap_or(i64::MAX),
            discard: DiscardPolicy::Old,
            duplicate_window: DUPLICATES.min(config.keep),
            storage: config.storage(),
            num_replicas: config.replicas,
            ..Config::default()
        };
        Self {
            context,
            config,
            open: Mutex::new(None),
            delivered: watch::Sender::new(0),
        }
    }

    /// Makes the stream if it is not there; and the place of its last message.
    pub(crate) async fn open(&self) -> Result<u64, Error> {
        let stream = self
            .context
            .get_or_create_stream(self.config.clone())
            .await?;
        let info = stream.get_info().await?;
        // To the nanosecond: no two streams are made at once.
        let epoch = info.created.unix_timestamp_nanos() as u64;
        *self.open.lock().expect("no code panics under this lock") = Some((stream, epoch));
        Ok(info.state.last_sequence)
    }

    fn stream(&self) -> Option<(Stream, u64)> {
        self.open
            .lock()
            .expect("no code panics under this lock")
            .clone()
    }

    /// Whether the message at a place is still there, and is the one that the client has seen: then so is everything after it.
    pub(super) async fn holds(&self, outbox: &Outbox, namespace: &str, offset: &Offset) -> bool {
        let Some((stream, epoch)) = self.stream() else {
            return false;
        };
        if epoch != offset.epoch {
            return false;
        }
        let found = timeout(PATIENCE, stream.get_raw_message(offset.sequence)).await;
        let Ok(Ok(found)) = found else {
            return false;
        };
        let is_there = *found.subject == *outbox.subjects().log(namespace);
        let read = protocol::read(&found.payload);
        is_there
            && read.is_ok_and(|message| Offset::mark(&message.from, message.number) == offset.mark)
    }

    /// What was recorded for these rooms after a place, up to now.
    pub(super) async fn after(
        &self,
        subject: &str,
        namespace: &str,
        offset: &Offset,
        rooms: &[Box<str>],
        most: Most,
    ) -> Result<Vec<Logged>, Error> {
        let (stream, epoch) = self.stream().ok_or("the log is not open")?;
        if epoch != offset.epoch {
            return Err("the log was lost and begun anew".into());
        }
        let last = stream.get_info().await?.state.last_sequence;
        if last <= offset.sequence {
            return Ok(Vec::new());
        }
        // Until this server has delivered as much, which is held back for the client. What came later would come twice.
        let mut delivered = self.delivered.subscribe();
        timeout(PATIENCE, delivered.wait_for(|delivered| *delivered >= last)).await??;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: offset.sequence + 1,
            },
            ack_policy: AckPolicy::None,
            filter_subject: subject.to_owned(),
            // It is for this client alone, and forgotten soon after.
            inactive_threshold: Duration::from_secs(5),
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let (mut missed, mut bytes) = (Vec::new(), 0);
        let mut pending = consumer.cached_info().num_pending;
        let mut seen = offset.sequence;
        while pending > 0 && seen < last {
            let fetched = consumer.fetch().max_messages(AT_ONCE).messages().await?;
            let batch: Vec<_> = timeout(PATIENCE, fetched.collect()).await?;
            if batch.is_empty() {
                return Err("JetStream does not bring what it has".into());
            }
            for delivered in batch {
                let delivered: Delivered = delivered?;
                let info = delivered.info().map_err(|error| error.to_string())?;
                (pending, seen) = (info.pending, info.stream_sequence);
                if seen > last {
                    // That comes by itself.
                    break;
                }
                let Ok(message) = protocol::read(&delivered.payload) else {
                    continue;
                };
                let Some(logged) = of_interest(message, namespace, rooms, epoch, seen) else {
                    continue;
                };
                bytes += delivered.payload.len();
                missed.push(logged);
                if missed.len() > most.packets || bytes > most.bytes {
                    return Err("more was missed than is kept for a client".into());
                }
            }
        }
        Ok(missed)
    }

    /// Reads the log for as long as the server is there, and delivers what is in it from `seen` on.
    pub(crate) async fn follow(
        self: Arc<Self>,
        outbox: WeakOutbox,
        cluster: Arc<Cluster>,
        mut health: watch::Receiver<Health>,
        seen: u64,
    ) {
        let epoch = self.stream().map_or(0, |(_, epoch)| epoch);
        self.delivered.send_replace(seen);
        let mut reader = Reader {
            log: &self,
            shared: outbox.shared(),
            cluster: &cluster,
            epoch,
            seen,
        };
        loop {
            tokio::select! {
                // Ends with an error only.
                Err(error) = reader.read() => {
                    tracing::debug!(%error, "the log is not read, and will be");
                    sleep(PAUSE).await;
                }
                // The connection was lost, or has come back. The client of NATS would go on by itself, but it does not know of
                // a stream that was lost meanwhile.
                changed = health.changed() => {
                    if changed.is_err() || *health.borrow_and_update() == Health::Closed {
                        return;
                    }
                }
                () = closed(&outbox) => return,
            }
            while health.borrow_and_update().clone() != Health::Up {
                if *health.borrow() == Health::Closed || health.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits until nobody can emit any more.
async fn closed(outbox: &WeakOutbox) {
    while outbox.upgrade().is_some() {
        sleep(Duration::from_secs(1)).await;
    }
}

/// Who reads the log.
struct Reader<'a> {
    log: &'a Log,
    shared: &'a Shared,
    cluster: &'a Cluster,
    epoch: u64,
    /// The last place that was read.
    seen: u64,
}

impl Reader<'_> {
    async fn read(&mut self) -> Result<std::convert::Infallible, Error> {
        let last = self.log.open().await?;
        let (stream, epoch) = self.log.stream().ok_or("the log is not open")?;
        if epoch != self.epoch {
            tracing::error!(
                "JetStream has lost its log: clients that were away can't come back to what they missed"
            );
            (self.epoch, self.seen) = (epoch, 0);
        } else if last < self.seen {
            tracing::error!(
                "JetStream has lost the end of its log: clients that were away may not come back"
            );
            self.seen = last;
        }
        self.log.delivered.send_replace(self.seen);
        let config = push::OrderedConfig {
            deliver_subject: self.shared.subjects().inbox(self.shared.own()),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.seen + 1,
            },
            ..push::OrderedConfig::default()
        };
        let mut messages = stream.create_consumer(config).await?.messages().await?;
        while let Some(delivered) = messages.next().await {
            let delivered = delivered?;
            let sequence = delivered
                .info()
                .map_err(|error| error.to_string())?
                .stream_sequence;
            // When the client of NATS goes on after a break, it may begin at the beginning.
            if sequence > self.seen {
                self.seen = sequence;
                self.deliver(&delivered);
                self.log.delivered.send_replace(sequence);
            }
        }
        Err("JetStream has ended the log".into())
    }

    fn deliver(&self, delivered: &Delivered) {
        let message = match protocol::read(&delivered.payload) {
            Ok(message) => message,
            Err(error) => return log_bad(&error, &delivered.subject, delivered.payload.len()),
        };
        let Message { from, number, body } = message;
        let Body::Logged {
            namespace,
            to,
            local,
            event,
        } = body
        else {
            return;
        };
        if local && *from != *self.shared.own() {
            return;
        }
        if let Some(sockets) = self.cluster.local(&namespace) {
            let offset = Offset {
                epoch: self.epoch,
                sequence: self.seen,
                mark: Offset::mark(&from, number),
            };
            let broadcast = Broadcast::new(event).local(local).at(offset.write());
            sockets.deliver(&to, broadcast);
        }
    }
}

/// A message of the log, if a socket in these rooms would have got it.
fn of_interest(
    message: Message,
    namespace: &str,
    rooms: &[Box<str>],
    epoch: u64,
    sequence: u64,
) -> Option<Logged> {
    let mark = Offset::mark(&message.from, message.number);
    let Body::Logged {
        namespace: of,
        to,
        event,
        ..
    } = message.body
    else {
        return None;
    };
    let is_in = |names: &[Box<str>]| names.iter().any(|name| rooms.contains(name));
    let is_selected = to.rooms.as_deref().is_none_or(is_in) && !is_in(&to.except);
    let offset = Offset {
        epoch,
        sequence,
        mark,
    };
    (*of == *namespace && is_selected)
        .then(|| Logged::new(Broadcast::new(event).at(offset.write())))
}

/// The headers of a message that is to be stored once.
pub(super) fn once(id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_MESSAGE_ID, id);
    headers
}
