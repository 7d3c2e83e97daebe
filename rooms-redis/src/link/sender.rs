//! The connection through which others are told.

use super::{Part, Shared, backoff::Backoff};
use crate::endpoint::Connection;
use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use rooms_layer::rooms::adapter::AdapterError;
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::sync::mpsc;

/// A command that waits to be sent.
pub(super) struct Job {
    pub(super) command: Cmd,
    /// What is to arrive in order. Commands with different ones may overtake each other in a Cluster.
    pub(super) lane: Arc<str>,
    /// How many bytes it counts for.
    pub(super) size: usize,
    pub(super) done: Done,
}

/// What is called with what became of a command. On the task that sends, so that it must not take long.
pub(super) type Done = Box<dyn FnOnce(Result<Value, Failed>) + Send>;

/// A command has failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) error: AdapterError,
    /// Redis may have run it all the same: the connection was lost before it could say.
    pub(crate) may_have_run: bool,
}

impl Failed {
    pub(super) fn before(error: impl std::fmt::Display) -> Self {
        Self {
            error: AdapterError::new(error),
            may_have_run: false,
        }
    }

    fn on_the_way(error: &RedisError) -> Self {
        Self {
            error: AdapterError::new(error),
            may_have_run: true,
        }
    }
}

/// How many commands are sent in one write.
const BATCH: usize = 256;
/// How often a command is sent again that a Cluster has refused because its slots are being moved, and how long is waited.
const MOVES: u32 = 20;
const MOVING: Duration = Duration::from_millis(100);

/// Connects, and checks that Redis answers.
pub(super) async fn connect(shared: &Shared, attempt: usize) -> RedisResult<Connection> {
    let mut connection = shared.redis.connect(shared.reach, attempt, None).await?;
    connection.run(&redis::cmd("PING")).await?;
    Ok(connection)
}

/// Sends what is queued, in its order, for as long as it is polled. While there is no connection, what is queued is refused:
/// those it was for are not listening either.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    mut connection: Connection,
) {
    let mut backoff = Backoff::default();
    loop {
        let cause = serve(&shared, &mut jobs, &mut connection, &mut backoff).await;
        shared.status.down(Part::Commands, &cause);
        shared.set_connection(None);
        connection = loop {
            let pause = async {
                backoff.failed().await;
                connect(&shared, backoff.failures()).await
            };
            tokio::pin!(pause);
            let connected = loop {
                tokio::select! {
                    connected = &mut pause => break connected,
                    Some(job) = jobs.recv() => shared.finish(job, Err(Failed::before(&cause))),
                }
            };
            match connected {
                Ok(connection) => break connection,
                Err(error) => shared.status.down(Part::Commands, &error),
            }
        };
        shared.set_connection(Some(connection.clone()));
    }
}

/// Serves one connection to its end; why it ended.
async fn serve(
    shared: &Shared,
    jobs: &mut mpsc::UnboundedReceiver<Job>,
    connection: &mut Connection,
    backoff: &mut Backoff,
) -> RedisError {
    shared.status.up(Part::Commands);
    let mut health = shared.status.watch();
    let is_node = matches!(connection, Connection::Node(_));
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            // Another connection to the same server has failed. What is sent from now on is not to be lost with this one.
            _ = health.changed(), if is_node => {
                if let Err(error) = connection.run(&redis::cmd("PING")).await {
                    return error;
                }
                continue;
            }
            _ = jobs.recv_many(&mut batch, BATCH) => {}
            () = tokio::time::sleep(shared.redis.timeout) => {
                if let Err(error) = connection.run(&redis::cmd("PING")).await {
                    return error;
                }
                continue;
            }
        }
        match connection {
            Connection::Node(_) => match send_all(shared, connection, batch).await {
                Some(error) => return error,
                None => backoff.succeeded(),
            },
            // The library finds the nodes of a Cluster again by itself. That it can't is seen by the next sign of life.
            Connection::Slots(_) => match send_each(shared, connection, batch).await {
                Some(error) => shared.status.down(Part::Commands, &error),
                None => shared.status.up(Part::Commands),
            },
        }
    }
}

/// Sends a batch to one server, in one write.
async fn send_all(
    shared: &Shared,
    connection: &mut Connection,
    batch: Vec<Job>,
) -> Option<RedisError> {
    let mut pipeline = redis::pipe();
    let mut waiting = Vec::with_capacity(batch.len());
    for mut job in batch {
        pipeline.add_command(std::mem::take(&mut job.command));
        waiting.push(job);
    }
    match connection.run_all(&pipeline).await {
        Ok(replies) => {
            for (job, reply) in waiting.into_iter().zip(replies) {
                shared.finish(job, reply.extract_error().map_err(Failed::before));
            }
            None
        }
        Err(error) => {
            for job in waiting {
                shared.finish(job, Err(Failed::on_the_way(&error)));
            }
            Some(error)
        }
    }
}

/// Sends a batch to the nodes of a Cluster: one command after the other in each lane, since each may have to look for the
/// node that has its slot by now. What a node could not be reached for.
async fn send_each(
    shared: &Shared,
    connection: &mut Connection,
    batch: Vec<Job>,
) -> Option<RedisError> {
    let mut lanes: HashMap<Arc<str>, Vec<Job>> = HashMap::new();
    for job in batch {
        lanes.entry(job.lane.clone()).or_default().push(job);
    }
    let lanes = lanes.into_values().map(|jobs| {
        let mut connection = connection.clone();
        async move {
            let mut unreachable = None;
            for job in jobs {
                let sent = send(&mut connection, &job.command).await;
                let failed = |error: RedisError| {
                    let failed = match error.kind() {
                        ErrorKind::Server(_) | ErrorKind::Extension => Failed::before(&error),
                        _ => Failed::on_the_way(&error),
                    };
                    if failed.may_have_run || was_not_run(&error) {
                        unreachable = Some(error);
                    }
                    failed
                };
                shared.finish(job, sent.map_err(failed));
            }
            unreachable
        }
    });
    join_all(lanes).await.into_iter().flatten().next()
}

async fn send(connection: &mut Connection, command: &Cmd) -> RedisResult<Value> {
    let mut moves = 0;
    loop {
        match connection.run(command).await {
            Err(error) if was_not_run(&error) && moves < MOVES => {
                moves += 1;
                tokio::time::sleep(MOVING).await;
            }
            outcome => return outcome,
        }
    }
}

/// Whether a node has refused a command that is another's to run, so that it can be sent again and still run once.
fn was_not_run(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
        ) | ErrorKind::ClusterConnectionNotFound
    )
}

impl Shared {
    /// Answers whoever waits for a job.
    fn finish(&self, job: Job, outcome: Result<Value, Failed>) {
        self.queued.fetch_sub(job.size, Ordering::Relaxed);
        if let Err(Failed { error, .. }) = &outcome {
            tracing::debug!(%error, "Redis did not take a command");
        }
        (job.done)(outcome);
    }
}
