//! The one place that owns connections to Redis: it makes them, finds out when they break, makes them again, subscribes to
//! what is wanted, and tells how they are.

mod backoff;
mod sender;
mod status;
mod subscriber;
mod topics;

pub(crate) use self::{
    backoff::Backoff,
    sender::Failed,
    status::{Part, Status},
    topics::{Kind, Listener, Topic, Topics},
};
use crate::{
    ConnectError,
    endpoint::{Connection, Reach, Redis},
};
use redis::{Arg, Cmd, Value};
use rooms_layer::rooms::adapter::{AdapterError, Confirmed};
use sender::Job;
use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    runtime::Handle,
    sync::{OnceCell, mpsc, oneshot},
    task::JoinHandle,
};

/// The way to Redis of one adapter. Its tasks end with it.
pub(crate) struct Link {
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<Job>,
    runtime: Handle,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What a link and its tasks share.
struct Shared {
    redis: Redis,
    reach: Reach,
    topics: Topics,
    status: Status,
    /// How many bytes wait to be sent.
    queued: AtomicUsize,
    /// For questions, which need no order. `None` while there is none.
    connection: Mutex<Option<Connection>>,
    /// All nodes of a Cluster, where the other connections are to one of them. Made when they are first asked.
    nodes: OnceCell<Connection>,
}

impl Shared {
    fn set_connection(&self, connection: Option<Connection>) {
        *self.lock_connection() = connection;
    }

    fn lock_connection(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.connection
            .lock()
            .expect("no code panics under this lock")
    }
}

impl Link {
    /// Connects. The adapter's name is for logs.
    pub(crate) async fn connect(
        redis: Redis,
        reach: Reach,
        adapter: &'static str,
    ) -> Result<Self, ConnectError> {
        let link = Self::connect_to_send(redis, reach, adapter).await?;
        let shared = link.shared.clone();
        let ear = subscriber::connect(&shared, 0).await;
        let ear = ear.map_err(ConnectError::unreachable)?;
        let listening = link.spawn(subscriber::run(shared, ear));
        link.keep(listening);
        Ok(link)
    }

    /// Connects for those who have nothing to hear.
    pub(crate) async fn connect_to_send(
        redis: Redis,
        reach: Reach,
        adapter: &'static str,
    ) -> Result<Self, ConnectError> {
        let shared = Arc::new(Shared {
            redis,
            reach,
            topics: Topics::default(),
            status: Status::new(adapter),
            queued: AtomicUsize::new(0),
            connection: Mutex::new(None),
            nodes: OnceCell::new(),
        });
        let connection = sender::connect(&shared, 0).await;
        let connection = connection.map_err(ConnectError::unreachable)?;
        shared.set_connection(Some(connection.clone()));

        let (jobs, queue) = mpsc::unbounded_channel();
        let runtime = Handle::current();
        let sending = runtime.spawn(sender::run(shared.clone(), queue, connection));
        Ok(Self {
            shared,
            jobs,
            runtime,
            tasks: Mutex::new(vec![sending]),
        })
    }

    /// Ends a task with the link.
    fn keep(&self, task: JoinHandle<()>) {
        let mut tasks = self.tasks.lock().expect("no code panics under this lock");
        tasks.push(task);
    }

    pub(crate) fn topics(&self) -> &Topics {
        &self.shared.topics
    }

    pub(crate) fn status(&self) -> &Status {
        &self.shared.status
    }

    pub(crate) fn redis(&self) -> &Redis {
        &self.shared.redis
    }

    /// Runs a task on the runtime of the link, wherever it is called.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.spawn(task)
    }

    /// Queues a command, behind those that were queued before in the same lane. It is sent whether or not the result is
    /// awaited.
    pub(crate) fn send(&self, lane: &Arc<str>, command: Cmd) -> Reply {
        let (done, reply) = oneshot::channel();
        // Who has stopped waiting does not mind.
        self.send_then(lane, command, |outcome| drop(done.send(outcome)));
        Reply(reply)
    }

    /// Queues a command like [`send`](Self::send), and calls `done` with what became of it: on the task that sends, so that
    /// it must not take long, or at once if it can't even be queued.
    pub(crate) fn send_then(
        &self,
        lane: &Arc<str>,
        command: Cmd,
        done: impl FnOnce(Result<Value, Failed>) + Send + 'static,
    ) {
        let size = size(&command);
        let queued = self.shared.queued.fetch_add(size, Ordering::Relaxed) + size;
        if queued > self.shared.redis.max_queued {
            self.shared.queued.fetch_sub(size, Ordering::Relaxed);
            tracing::warn!(
                size,
                "dropped a message: more waits to be sent to Redis than may"
            );
            return done(Err(Failed::before(
                "more waits to be sent to Redis than `Redis::max_queued_bytes` allows",
            )));
        }
        let job = Job {
            command,
            lane: lane.clone(),
            size,
            done: Box::new(done),
        };
        if let Err(mpsc::error::SendError(job)) = self.jobs.send(job) {
            (job.done)(Err(Failed::before("the adapter was closed")));
        }
    }

    /// Runs a command for its answer, in no order with what is sent.
    pub(crate) fn query(
        &self,
        command: Cmd,
    ) -> impl Future<Output = Result<Value, AdapterError>> + Send + use<> {
        let connection = self.shared.lock_connection().clone();
        async move {
            let mut connection = connection.ok_or_else(|| AdapterError::new("not connected"))?;
            connection.run(&command).await.map_err(AdapterError::new)
        }
    }

    /// Runs a command on every node of a Cluster, and puts the answers together.
    pub(crate) fn query_all_nodes(
        &self,
        command: Cmd,
    ) -> impl Future<Output = Result<Value, AdapterError>> + Send + use<> {
        let shared = self.shared.clone();
        async move {
            let connect = || shared.redis.connect(Reach::Slots, 0, None);
            let nodes = shared.nodes.get_or_try_init(connect);
            let mut nodes = nodes.await.map_err(AdapterError::new)?.clone();
            nodes.run(&command).await.map_err(AdapterError::new)
        }
    }

    /// Nothing is heard any more, and nothing sent.
    pub(crate) fn close(&self) -> Confirmed {
        self.shared.topics.clear();
        self.shared.status.close();
        Confirmed::now()
    }
}

/// How many bytes of names and payload a command has. Those of the protocol are few, and counting them would take writing it out.
fn size(command: &Cmd) -> usize {
    let words = command.args_iter().map(|word| match word {
        Arg::Simple(bytes) => bytes.len(),
        // A cursor, which no command of ours has.
        _ => 0,
    });
    words.sum()
}

impl Drop for Link {
    fn drop(&mut self) {
        let tasks = self
            .tasks
            .get_mut()
            .expect("no code panics under this lock");
        tasks.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("redis", &self.shared.redis)
            .field("topics", &self.shared.topics)
            .finish_non_exhaustive()
    }
}

/// What Redis will say to a command.
pub(crate) struct Reply(oneshot::Receiver<Result<Value, Failed>>);

impl Reply {
    /// That of a command that can't even be put together.
    pub(crate) fn refused(error: impl fmt::Display) -> Self {
        let (done, reply) = oneshot::channel();
        drop(done.send(Err(Failed::before(error))));
        Self(reply)
    }

    /// Waits for it.
    pub(crate) async fn value(self) -> Result<Value, AdapterError> {
        let closed = |_| Err(Failed::before("the adapter was closed"));
        let outcome = self.0.await.unwrap_or_else(closed);
        outcome.map_err(|failed| failed.error)
    }

    /// Waits until Redis has it, whatever it says of it.
    pub(crate) fn confirmed(self) -> Confirmed {
        Confirmed::when(async { self.value().await.map(drop) })
    }
}
