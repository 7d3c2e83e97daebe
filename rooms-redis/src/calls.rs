//! Questions to other servers, and their answers as they come.

use crate::message::{Id, Known, Message, What};
use futures_util::stream;
use rooms_layer::{
    SocketId,
    rooms::adapter::{AdapterError, Answer, Answers},
};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep_until};

/// How many answers of one question may wait to be read. More are dropped; they count as not given.
const WAITING: usize = 65_536;

/// The questions of one namespace that wait for answers.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pending: Mutex<Pending>,
    /// How many other servers there were when Redis could last say.
    others: AtomicUsize,
}

type Pending = HashMap<Id, mpsc::Sender<Message>>;

/// How the answers to a question are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A server says how many sockets it has asked, then passes on what they say.
    Acks,
    /// A server answers once.
    Once(Option<What>),
}

impl Calls {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("no code panics under this lock")
    }

    /// Whether there is no question, so that answers need not be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Hands over an answer. Nothing happens if nobody waits for it.
    pub(crate) fn put(&self, answer: Message) {
        let asked = answer
            .answers()
            .and_then(|id| self.pending().get(id).cloned());
        if let Some(asked) = asked
            && let Err(mpsc::error::TrySendError::Full(_)) = asked.try_send(answer)
        {
            tracing::debug!("dropped an answer: more wait to be read than may");
        }
    }

    /// How many other servers there are. Where Redis can't say, they are as many as before, and one at least.
    fn counted(&self, others: Option<usize>) -> usize {
        match others {
            Some(others) => {
                self.others.store(others, Ordering::Relaxed);
                others
            }
            None => self.others.load(Ordering::Relaxed).max(1),
        }
    }

    /// Expects answers to a question that is about to be put.
    pub(crate) fn open(self: &Arc<Self>) -> Call {
        let id: Id = SocketId::random().as_str().into();
        let (sender, inbox) = mpsc::channel(WAITING);
        self.pending().insert(id.clone(), sender);
        Call {
            calls: self.clone(),
            id,
            inbox,
        }
    }
}

/// A question that is put. Dropping it withdraws it.
pub(crate) struct Call {
    calls: Arc<Calls>,
    pub(crate) id: Id,
    inbox: mpsc::Receiver<Message>,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.pending().remove(&self.id);
    }
}

impl Call {
    /// The answers, until as many servers have answered as `others` says there are, or the deadline has come.
    pub(crate) fn answers(
        self,
        kind: Kind,
        others: JoinHandle<Result<usize, AdapterError>>,
        deadline: Instant,
    ) -> Answers {
        let collecting = Collecting {
            call: self,
            kind,
            others,
            deadline: deadline.into(),
            servers: None,
            tally: Tally::default(),
            ready: VecDeque::new(),
            is_over: false,
        };
        Box::pin(stream::unfold(collecting, Collecting::next))
    }
}

/// What has been answered.
#[derive(Debug, Default)]
struct Tally {
    /// How many servers have answered.
    answered: usize,
    /// How many sockets they have asked.
    clients: usize,
    /// How many of those have acknowledged.
    acked: usize,
}

struct Collecting {
    call: Call,
    kind: Kind,
    others: JoinHandle<Result<usize, AdapterError>>,
    deadline: tokio::time::Instant,
    /// How many other servers there are, once that is known.
    servers: Option<usize>,
    tally: Tally,
    ready: VecDeque<Answer>,
    is_over: bool,
}

impl Collecting {
    async fn next(mut self) -> Option<(Answer, Self)> {
        loop {
            if let Some(answer) = self.ready.pop_front() {
                return Some((answer, self));
            }
            if self.is_over || self.is_complete() {
                return None;
            }
            tokio::select! {
                biased;
                // The call is one of those who can send, so that there is always one.
                Some(answer) = self.call.inbox.recv() => self.take(answer),
                others = &mut self.others, if self.servers.is_none() => {
                    self.servers = Some(self.call.calls.counted(others.ok().and_then(Result::ok)));
                }
                () = sleep_until(self.deadline) => self.expire(),
            }
        }
    }

    fn is_complete(&self) -> bool {
        let Tally {
            answered,
            clients,
            acked,
        } = self.tally;
        self.servers.is_some_and(|servers| answered >= servers) && acked >= clients
    }

    fn take(&mut self, answer: Message) {
        match (self.kind, answer) {
            (Kind::Acks, Message::Clients { count, .. }) => {
                self.tally.answered += 1;
                self.tally.clients = self.tally.clients.saturating_add(count);
            }
            (Kind::Acks, Message::Acked { socket, args, .. }) => {
                self.tally.acked += 1;
                self.ready.push_back(Answer::Acked(socket, args));
            }
            (Kind::Once(None), Message::Heard { args, .. }) => {
                self.tally.answered += 1;
                self.ready.extend(args.map(Answer::Heard));
            }
            (Kind::Once(Some(what)), Message::Known { known, .. }) => {
                self.tally.answered += 1;
                self.know(what, known);
            }
            // Nothing that anybody has asked for.
            _ => {}
        }
    }

    fn know(&mut self, what: What, known: Known) {
        match (what, known) {
            (What::Sockets, Known::Sockets(sockets)) => {
                self.ready.extend(sockets.into_iter().map(Answer::Found));
            }
            (What::Count, Known::Count(count)) => self.ready.push_back(Answer::Counted(count)),
            (What::Count, Known::Sockets(sockets)) => {
                self.ready.push_back(Answer::Counted(sockets.len()));
            }
            (What::Rooms, Known::Rooms(rooms)) => self.ready.push_back(Answer::Named(rooms)),
            (What::Rooms, Known::Sockets(sockets)) => {
                let rooms = sockets.iter().flat_map(|socket| &socket.rooms);
                let rooms: BTreeSet<_> = rooms.map(|room| String::from(&**room)).collect();
                self.ready
                    .push_back(Answer::Named(rooms.into_iter().collect()));
            }
            _ => {}
        }
    }

    /// The time is up: tells who has not answered.
    fn expire(&mut self) {
        self.is_over = true;
        let silent = self.tally.clients.saturating_sub(self.tally.acked);
        if silent > 0 {
            self.ready.push_back(Answer::Unanswered(silent));
        }
        // Not even knowing how many there are means that Redis does not answer.
        let before = || self.call.calls.counted(None);
        let unknown = || before().max(self.tally.answered + 1);
        let servers = self.servers.unwrap_or_else(unknown);
        let missing = servers.saturating_sub(self.tally.answered);
        if missing > 0 {
            self.ready.push_back(Answer::Missing(missing));
        }
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        self.others.abort();
    }
}

#[cfg(test)]
mod tests;
