//! What runs on a connection's task: handlers, authorisations and hooks, side by side.

use super::{
    BoxFuture, Namespace, Peer, Refuse, Reply, SocketData,
    recover::{Guest, Returning, Shown},
};
use futures_util::stream::{FuturesUnordered, Stream};
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Everything that is under way. Takes no memory while nothing is.
#[derive(Default)]
pub(super) struct InFlight {
    running: Option<Box<FuturesUnordered<Job>>>,
}

/// One thing that is under way.
pub(super) enum Job {
    /// A client waits to be let into a namespace.
    Authorize {
        namespace: Arc<Namespace>,
        /// What it shows, if it means to come back.
        shown: Option<Shown>,
        future: BoxFuture<Result<SocketData, Refuse>>,
    },
    /// A client that was let in comes back to what it was.
    Return {
        namespace: Arc<Namespace>,
        future: BoxFuture<(Guest, Option<Returning>)>,
    },
    /// An event is being handled.
    Handle {
        peer: Arc<Peer>,
        event: Box<str>,
        reply: Option<Reply>,
        future: BoxFuture<()>,
    },
    /// A hook, which nothing waits for.
    Hook {
        hook: &'static str,
        future: BoxFuture<()>,
    },
    /// Its result was taken.
    Done,
}

/// What has come to its end.
pub(super) enum Finished {
    Authorized {
        namespace: Arc<Namespace>,
        shown: Option<Shown>,
        result: Result<SocketData, Refuse>,
    },
    /// `None`: the adapter panicked.
    Returned {
        namespace: Arc<Namespace>,
        result: Option<Box<(Guest, Option<Returning>)>>,
    },
    Handled {
        peer: Arc<Peer>,
        /// Of a handler that panicked: the event, and whom to tell.
        panicked: Option<(Box<str>, Option<Reply>)>,
    },
    Hooked,
}

impl InFlight {
    /// Starts a job and polls it once, so that jobs begin in the order of their start. What is done by then takes no memory.
    pub(super) fn start(&mut self, mut job: Job, cx: &mut Context<'_>) -> Option<Finished> {
        match Pin::new(&mut job).poll(cx) {
            Poll::Ready(finished) => Some(finished),
            Poll::Pending => {
                self.running.get_or_insert_default().push(job);
                // The next `poll` polls it again, with a waker of its own.
                None
            }
        }
    }

    /// Drops the authorisations that are under way.
    pub(super) fn forget_authorizations(&mut self) {
        if let Some(running) = self.running.take() {
            let others = running
                .into_iter()
                .filter(|job| !matches!(job, Job::Authorize { .. } | Job::Return { .. }));
            self.running = Some(Box::new(others.collect()));
        }
    }

    /// Takes out the next job that is done; `Ready(None)` when none is under way.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Finished>> {
        let Some(running) = &mut self.running else {
            return Poll::Ready(None);
        };
        let finished = Pin::new(&mut **running).poll_next(cx);
        if let Poll::Ready(None) = finished {
            self.running = None;
        }
        finished
    }
}

impl Future for Job {
    type Output = Finished;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished> {
        let job = &mut *self;
        let finished = match job {
            Self::Authorize { future, .. } => match caught(future, cx) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(result)) => Ok(Output::Authorized(result)),
                Err(panic) => Err(panic),
            },
            Self::Return { future, .. } => match caught(future, cx) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(result)) => Ok(Output::Returned(Box::new(result))),
                Err(panic) => Err(panic),
            },
            Self::Handle { future, .. } | Self::Hook { future, .. } => match caught(future, cx) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => Ok(Output::Nothing),
                Err(panic) => Err(panic),
            },
            Self::Done => unreachable!("a job that is done is not polled"),
        };
        Poll::Ready(std::mem::replace(job, Self::Done).finish(finished))
    }
}

/// What the future of a job came to.
enum Output {
    Authorized(Result<SocketData, Refuse>),
    Returned(Box<(Guest, Option<Returning>)>),
    Nothing,
}

impl Job {
    fn finish(self, result: Result<Output, Panic>) -> Finished {
        match self {
            Self::Authorize {
                namespace, shown, ..
            } => {
                let result = match result {
                    Ok(Output::Authorized(result)) => result,
                    Ok(_) => unreachable!("an authorisation has a result"),
                    Err(panic) => {
                        let path = namespace.path();
                        tracing::error!(namespace = ?path, panic = panic.text(), "`authorize` panicked");
                        Err(Refuse::new("internal error"))
                    }
                };
                Finished::Authorized {
                    namespace,
                    shown,
                    result,
                }
            }
            Self::Return { namespace, .. } => {
                let result = match result {
                    Ok(Output::Returned(result)) => Some(result),
                    Ok(_) => unreachable!("coming back has a result"),
                    Err(panic) => {
                        let path = namespace.path();
                        tracing::error!(namespace = ?path, panic = panic.text(), "the adapter panicked");
                        None
                    }
                };
                Finished::Returned { namespace, result }
            }
            Self::Handle {
                peer, event, reply, ..
            } => {
                let panicked = result.err().map(|panic| {
                    let path = peer.namespace().path();
                    tracing::error!(namespace = ?path, ?event, panic = panic.text(), "a handler panicked");
                    (event, reply.filter(|reply| !reply.is_sent()))
                });
                Finished::Handled { peer, panicked }
            }
            Self::Hook { hook, .. } => {
                if let Err(panic) = result {
                    tracing::error!(hook, panic = panic.text(), "a hook panicked");
                }
                Finished::Hooked
            }
            Self::Done => unreachable!("a job that is done is not polled"),
        }
    }
}

struct Panic(Box<dyn Any + Send>);

impl Panic {
    fn text(&self) -> &str {
        let text = self.0.downcast_ref::<&str>().copied();
        text.or_else(|| self.0.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("not a text")
    }
}

/// Polls the application's future without letting its panic out: it is dropped afterwards, so nothing sees it half done.
fn caught<T>(future: &mut BoxFuture<T>, cx: &mut Context<'_>) -> Result<Poll<T>, Panic> {
    catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))).map_err(Panic)
}
