//! The smallest adapter that keeps every promise: servers of one process call each other. What it does is what the others have to
//! do through an engine.

use futures_util::{FutureExt, StreamExt, stream};
use rooms_layer::{
    Adapter, SocketId,
    bounds::CanServerEmit,
    rooms::{
        Selection,
        adapter::{
            Answer, Answers, Broadcast, Channel, Command, Confirmed, Local, Moved, Opening,
            Publisher, Question,
        },
    },
    wire::{Args, Data},
};
use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tokio::time::{sleep_until, timeout_at};

/// One of the servers.
#[derive(Clone, Default)]
pub struct SameProcess {
    server: usize,
    ends: Ends,
    /// How many more servers there are, which never answer.
    silent: Arc<AtomicUsize>,
}

type Ends = Arc<Mutex<Vec<End>>>;

/// One namespace of one server.
#[derive(Clone)]
struct End {
    server: usize,
    namespace: String,
    local: Weak<dyn Local>,
}

impl SameProcess {
    /// Another server of the same cluster.
    pub fn another(&self, server: usize) -> Self {
        Self {
            server,
            ..self.clone()
        }
    }

    /// What an adapter has of this server's namespace, once it is opened.
    pub fn local(&self, namespace: &str) -> Option<Arc<dyn Local>> {
        let ends = self.ends.lock().expect("nobody panics");
        let mut ends = ends.iter();
        let own = ends.find(|end| end.server == self.server && end.namespace == namespace);
        own?.local.upgrade()
    }

    /// Has the cluster count so many more servers, which never answer.
    pub fn silent(&self, servers: usize) {
        self.silent.store(servers, Ordering::Relaxed);
    }
}

impl CanServerEmit for SameProcess {}

impl Adapter for SameProcess {
    fn name(&self) -> &'static str {
        "same process"
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let own = End {
            server: self.server,
            namespace: opening.namespace.to_owned(),
            local: opening.local,
        };
        let mut ends = self.ends.lock().expect("nobody panics");
        ends.retain(|end| end.local.strong_count() > 0);
        ends.push(own.clone());
        Box::new(Line {
            own,
            ends: self.ends.clone(),
            silent: self.silent.clone(),
        })
    }

    fn close(&self) -> Confirmed {
        let mut ends = self.ends.lock().expect("nobody panics");
        ends.retain(|end| end.server != self.server);
        Confirmed::now()
    }
}

struct Line {
    own: End,
    ends: Ends,
    silent: Arc<AtomicUsize>,
}

impl Line {
    /// The same namespace on the other servers that are still there.
    fn others(&self) -> Vec<Arc<dyn Local>> {
        let ends = self.ends.lock().expect("nobody panics");
        let others = ends
            .iter()
            .filter(|end| end.namespace == self.own.namespace && end.server != self.own.server);
        others.filter_map(|end| end.local.upgrade()).collect()
    }
}

impl Publisher for Line {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        for other in self.others() {
            other.deliver(to, broadcast.clone());
        }
        Confirmed::now()
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        for other in self.others() {
            other.obey(to, command);
        }
        Confirmed::now()
    }

    fn tell(&self, event: &Data) -> Confirmed {
        for other in self.others() {
            // It runs whether or not anybody waits.
            drop(other.hear(event.clone()));
        }
        Confirmed::now()
    }
}

impl Channel for Line {
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers> {
        let others = self.others();
        let silent = self.silent.load(Ordering::Relaxed);
        if others.is_empty() && silent == 0 {
            return None;
        }
        let answers = others
            .iter()
            .map(|other| answers(&**other, to, question, deadline));
        let answers = stream::select_all(answers);
        if silent == 0 {
            return Some(answers.boxed());
        }
        let late = stream::once(async move {
            sleep_until(deadline.into()).await;
            Answer::Missing(silent)
        });
        Some(answers.chain(late).boxed())
    }

    fn moved(&self, _socket: &SocketId, _moved: Moved<'_>) -> Confirmed {
        // Every server hears of every broadcast, so nobody needs to know who is where.
        Confirmed::now()
    }
}

fn answers(
    other: &dyn Local,
    to: &Selection,
    question: Question<'_>,
    deadline: Instant,
) -> Answers {
    let now = |answers: Vec<Answer>| stream::iter(answers).boxed();
    match question {
        Question::Acks(data) => {
            let (acked, asked) = other.ask(to, (*data).clone(), deadline);
            let acked = acked.map(Some).chain(stream::iter([None]));
            // Behind the answers, how many did not come.
            acked
                .scan(asked, |left, answer| {
                    let answer = match answer {
                        Some(answer) => {
                            *left -= 1;
                            Some(answer)
                        }
                        None => (*left > 0).then_some(Answer::Unanswered(*left)),
                    };
                    async move { Some(answer) }
                })
                .filter_map(async |answer| answer)
                .boxed()
        }
        Question::Sockets => now(other.sockets(to).into_iter().map(Answer::Found).collect()),
        Question::Count => now(vec![Answer::Counted(other.sockets(to).len())]),
        Question::Rooms => now(vec![Answer::Named(other.rooms())]),
        Question::Servers(event) => {
            let heard = timeout_at(deadline.into(), other.hear((*event).clone()));
            let answer = heard.map(|heard| match heard {
                Ok(Some(answer)) => {
                    let answer = Args::from_data(&answer).expect("our own is well formed");
                    Answer::Heard(answer)
                }
                _ => Answer::Missing(1),
            });
            answer.into_stream().boxed()
        }
        _ => now(Vec::new()),
    }
}
