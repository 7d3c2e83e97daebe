//! The connection through which others are heard.

use super::{Kind, Part, Shared, Topic, backoff::Backoff, topics::Changes};
use crate::endpoint::{Connection, OnPush};
use futures_util::{StreamExt, TryStreamExt, stream};
use redis::{Cmd, PushInfo, PushKind, RedisResult, Value};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// How many commands are sent in one write.
const BATCH: usize = 1_000;
/// How many commands for single slots are under way at once.
const AT_ONCE: usize = 64;

/// A connection to hear through, and what it said of itself.
pub(super) struct Ear {
    connection: Connection,
    lost: Arc<Lost>,
}

/// Set by the task that reads the connection.
#[derive(Default)]
struct Lost {
    is: AtomicBool,
    told: Notify,
}

/// Connects, without subscribing to anything yet.
pub(super) async fn connect(shared: &Arc<Shared>, attempt: usize) -> RedisResult<Ear> {
    let lost = Arc::new(Lost::default());
    let on_push: OnPush = {
        let (shared, lost) = (shared.clone(), lost.clone());
        Arc::new(move |push| take(&shared, &lost, push))
    };
    let connection = shared.redis.connect(shared.reach, attempt, Some(on_push));
    let connection = connection.await?;
    Ok(Ear { connection, lost })
}

/// Keeps what is subscribed to what is wanted, for as long as it is polled.
pub(super) async fn run(shared: Arc<Shared>, mut ear: Ear) {
    let mut backoff = Backoff::default();
    loop {
        let cause = listen(&shared, &mut ear, &mut backoff).await;
        shared.status.down(Part::Subscriptions, &cause);
        shared.topics.lost();
        ear = loop {
            backoff.failed().await;
            match connect(&shared, backoff.failures()).await {
                Ok(ear) => break ear,
                Err(error) => shared.status.down(Part::Subscriptions, &error),
            }
        };
    }
}

/// Serves one connection to its end; why it ended.
async fn listen(shared: &Shared, ear: &mut Ear, backoff: &mut Backoff) -> String {
    shared.topics.found();
    loop {
        let changes = shared.topics.changes();
        if let Err(error) = apply(&mut ear.connection, changes).await {
            return error.to_string();
        }
        backoff.succeeded();
        if !ear.lost.is.load(Ordering::Acquire) {
            shared.status.up(Part::Subscriptions);
        }
        tokio::select! {
            () = shared.topics.changed.notified() => {}
            () = ear.lost.told.notified() => match &ear.connection {
                Connection::Node(_) => return "the connection was closed".to_owned(),
                // One of several nodes: the others are still heard. Whoever now has its slots is asked again.
                Connection::Slots(_) => {
                    shared.status.down(Part::Subscriptions, &"the connection to a node of the Cluster was closed");
                    ear.lost.is.store(false, Ordering::Release);
                    shared.topics.lost();
                    tokio::time::sleep(NODE_AGAIN).await;
                    shared.topics.found();
                }
            },
            () = tokio::time::sleep(shared.redis.timeout) => {
                // A network that swallows everything looks like silence.
                if let Err(error) = ear.connection.run(&redis::cmd("PING")).await {
                    return error.to_string();
                }
            }
        }
    }
}

/// How long the library gets to connect to a node again before subscriptions are tried.
const NODE_AGAIN: Duration = Duration::from_millis(100);

/// Subscribes and unsubscribes. What Redis confirms is noted by [`take`].
async fn apply(connection: &mut Connection, changes: Changes) -> RedisResult<()> {
    let subscribe = changes.subscribe.iter().map(|topic| command(topic, true));
    let unsubscribe = changes
        .unsubscribe
        .iter()
        .map(|topic| command(topic, false));
    let commands: Vec<Cmd> = subscribe.chain(unsubscribe).collect();
    match connection {
        Connection::Node(_) => {
            for batch in commands.chunks(BATCH) {
                let mut pipeline = redis::pipe();
                for command in batch {
                    pipeline.add_command(command.clone());
                }
                let replies = connection.run_all(&pipeline).await?;
                replies
                    .into_iter()
                    .try_for_each(|reply| reply.extract_error().map(drop))?;
            }
            Ok(())
        }
        // A command goes to the one node that has the slot.
        Connection::Slots(_) => {
            let commands = commands.into_iter().map(|command| {
                let mut connection = connection.clone();
                async move { connection.run(&command).await.map(drop) }
            });
            let done = stream::iter(commands).buffer_unordered(AT_ONCE);
            done.try_collect().await
        }
    }
}

fn command(topic: &Topic, on: bool) -> Cmd {
    let verb = match (topic.kind, on) {
        (Kind::Channel, true) => "SUBSCRIBE",
        (Kind::Channel, false) => "UNSUBSCRIBE",
        (Kind::Pattern, true) => "PSUBSCRIBE",
        (Kind::Pattern, false) => "PUNSUBSCRIBE",
        (Kind::Shard, true) => "SSUBSCRIBE",
        (Kind::Shard, false) => "SUNSUBSCRIBE",
    };
    redis::cmd(verb).arg(&*topic.name).take()
}

/// What a push says.
enum Said {
    Message,
    Subscribed,
    /// Asked for, or because the slot of the channel has moved to another node.
    Unsubscribed,
}

/// Takes what the connection pushes, on the task that reads it.
fn take(shared: &Shared, lost: &Lost, push: PushInfo) {
    let (kind, said) = match push.kind {
        PushKind::Disconnection => {
            lost.is.store(true, Ordering::Release);
            lost.told.notify_one();
            return;
        }
        PushKind::Message => (Kind::Channel, Said::Message),
        PushKind::PMessage => (Kind::Pattern, Said::Message),
        PushKind::SMessage => (Kind::Shard, Said::Message),
        PushKind::Subscribe => (Kind::Channel, Said::Subscribed),
        PushKind::PSubscribe => (Kind::Pattern, Said::Subscribed),
        PushKind::SSubscribe => (Kind::Shard, Said::Subscribed),
        PushKind::Unsubscribe => (Kind::Channel, Said::Unsubscribed),
        PushKind::PUnsubscribe => (Kind::Pattern, Said::Unsubscribed),
        PushKind::SUnsubscribe => (Kind::Shard, Said::Unsubscribed),
        _ => return,
    };
    let mut data = push.data.into_iter().map(|value| match value {
        Value::BulkString(bytes) => bytes,
        _ => Vec::new(),
    });
    let mut text = || String::from_utf8(data.next()?).ok();
    let Some(name) = text() else {
        return;
    };
    let topic = Topic::new(kind, name);
    match said {
        Said::Message => {}
        Said::Subscribed => return shared.topics.subscribed(&topic),
        Said::Unsubscribed => return shared.topics.unsubscribed(&topic),
    }
    let channel = match kind {
        Kind::Pattern => match text() {
            Some(channel) => Some(channel),
            None => return,
        },
        Kind::Channel | Kind::Shard => None,
    };
    let payload = data.next().unwrap_or_default();
    let channel = channel.as_deref().unwrap_or(&topic.name);
    if payload.len() > shared.redis.max_message {
        tracing::warn!(
            ?channel,
            length = payload.len(),
            "dropped a message that is too long"
        );
        return;
    }
    for listener in shared.topics.listeners(&topic) {
        listener.heard(&topic, channel, &payload);
    }
}
