//! One namespace of this server among those of the others: what it says, and what it makes of what they say.

use crate::{
    calls::{Calls, Kind},
    link::Link,
    message::{Envelope, Known, Message, What, Wish},
};
use futures_util::StreamExt;
use rooms_layer::{
    rooms::{
        Selection,
        adapter::{
            AdapterError, Answer, Answers, BoxFuture, Broadcast, Command, Confirmed, Local,
            Opening, Question,
        },
    },
    wire::{Args, Data, Limits},
};
use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// How a namespace reaches the other servers: each mode has its own way.
pub(crate) trait Voice: Send + Sync + 'static {
    /// Says it to all servers.
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed;

    /// Says it to all servers.
    fn say(&self, message: &Message) -> Confirmed;

    /// Says it to the server that asked.
    fn answer(&self, asker: Option<&str>, message: &Message) -> Confirmed;

    /// Puts a question to all servers, whether or not the result is awaited: how many others it has reached.
    fn ask(&self, question: &Message) -> BoxFuture<Result<usize, AdapterError>>;
}

/// One namespace of this server.
pub(crate) struct Member<V> {
    pub(crate) namespace: Box<str>,
    /// This server, among the others.
    pub(crate) uid: Arc<str>,
    pub(crate) local: Weak<dyn Local>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) link: Arc<Link>,
    pub(crate) limits: Limits,
    /// How long acknowledgements are waited for where the asker does not say.
    timeout: Duration,
    /// Other servers may ask many things; this many are answered at once.
    answering: Arc<Semaphore>,
    pub(crate) voice: Arc<V>,
}

/// How many questions of other servers are answered at once, for each namespace. More are not answered, and the server counts
/// as missing.
const ANSWERING: usize = 4_096;

impl<V: Voice> Member<V> {
    pub(crate) fn new(
        opening: &Opening<'_>,
        uid: Arc<str>,
        link: Arc<Link>,
        timeout: Duration,
        voice: V,
    ) -> Self {
        Self {
            namespace: opening.namespace.into(),
            uid,
            local: opening.local.clone(),
            calls: Arc::default(),
            limits: crate::protocol::limits(link.redis().max_message),
            link,
            timeout,
            answering: Arc::new(Semaphore::new(ANSWERING)),
            voice: Arc::new(voice),
        }
    }

    /// Does what another server wants.
    pub(crate) fn take(&self, envelope: Envelope) {
        let Envelope {
            from,
            namespace,
            message,
        } = envelope;
        let is_own = from.as_deref() == Some(&*self.uid);
        let is_for_another = namespace.is_some_and(|namespace| namespace != self.namespace);
        if is_own || is_for_another {
            return;
        }
        let Some(local) = self.local.upgrade() else {
            return self.answer_for_nobody(from.as_deref(), message);
        };
        match message {
            Message::Broadcast { to, broadcast } => drop(local.deliver(&to, broadcast)),
            Message::Command {
                to,
                command,
                confirm: None,
            } => local.obey(&to, &command),
            Message::Command {
                to,
                command,
                confirm: Some(id),
            } => {
                // Only the server that has the socket confirms.
                if !local.sockets(&to).is_empty() {
                    local.obey(&to, &command);
                    drop(self.voice.answer(from.as_deref(), &Message::Done { id }));
                }
            }
            Message::Tell {
                event,
                answer: None,
            } => drop(local.hear(event)),
            Message::Tell {
                event,
                answer: Some(wish),
            } => self.hear(from, local.hear(event), wish),
            Message::AskAcks {
                id,
                to,
                event,
                timeout,
            } => {
                let deadline = Instant::now() + timeout.unwrap_or(self.timeout);
                let (answers, count) = local.ask(&to, event, deadline);
                let clients = Message::Clients {
                    id: id.clone(),
                    count,
                };
                drop(self.voice.answer(from.as_deref(), &clients));
                self.pass_on(from, id, answers);
            }
            Message::AskAbout { id, to, what } => {
                let known = match what {
                    What::Sockets => Known::Sockets(local.sockets(&to)),
                    What::Count => Known::Count(local.sockets(&to).len()),
                    What::Rooms => Known::Rooms(local.rooms()),
                    What::Ids => {
                        let sockets = local.sockets(&to).into_iter();
                        Known::Ids(sockets.map(|socket| socket.id.to_string()).collect())
                    }
                };
                drop(
                    self.voice
                        .answer(from.as_deref(), &Message::Known { id, known }),
                );
            }
            answer => self.calls.put(answer),
        }
    }

    /// The namespace is gone here, and the others do not know yet: what they ask is answered at once.
    fn answer_for_nobody(&self, asker: Option<&str>, message: Message) {
        let answer = match message {
            Message::Tell {
                answer: Some(wish), ..
            } if wish.even_if_nothing => Message::Heard {
                id: wish.id,
                args: None,
            },
            Message::AskAcks { id, .. } => Message::Clients { id, count: 0 },
            Message::AskAbout { id, what, .. } => Message::Known {
                id,
                known: match what {
                    What::Sockets => Known::Sockets(Vec::new()),
                    What::Count => Known::Count(0),
                    What::Rooms => Known::Rooms(Vec::new()),
                    What::Ids => Known::Ids(Vec::new()),
                },
            },
            _ => return,
        };
        drop(self.voice.answer(asker, &answer));
    }

    /// Answers with what the handlers say.
    fn hear(&self, asker: Option<Box<str>>, heard: BoxFuture<Option<Data>>, wish: Wish) {
        let voice = self.voice.clone();
        self.spawn(async move {
            let args = heard.await.and_then(|data| Args::from_data(&data).ok());
            if args.is_some() || wish.even_if_nothing {
                let message = Message::Heard { id: wish.id, args };
                drop(voice.answer(asker.as_deref(), &message));
            }
        });
    }

    /// Passes on what sockets acknowledge.
    fn pass_on(&self, asker: Option<Box<str>>, id: Box<str>, mut answers: Answers) {
        let voice = self.voice.clone();
        self.spawn(async move {
            while let Some(answer) = answers.next().await {
                if let Answer::Acked(socket, args) = answer {
                    let id = id.clone();
                    let message = Message::Acked { id, socket, args };
                    drop(voice.answer(asker.as_deref(), &message));
                }
            }
        });
    }

    fn spawn(&self, answer: impl Future<Output = ()> + Send + 'static) {
        match self.answering.clone().try_acquire_owned() {
            Ok(place) => drop(self.link.spawn(async move {
                answer.await;
                drop(place);
            })),
            Err(_) => tracing::warn!(
                namespace = ?self.namespace,
                "did not answer another server: it asks more than can be answered at once"
            ),
        }
    }

    pub(crate) fn ask(
        &self,
        to: &Selection,
        question: Question<'_>,
        deadline: Instant,
    ) -> Option<Answers> {
        let call = self.calls.open();
        let id = call.id.clone();
        let (kind, message) = match question {
            Question::Acks(event) => {
                let timeout = deadline.saturating_duration_since(Instant::now());
                let message = Message::AskAcks {
                    id,
                    to: to.clone(),
                    event: event.clone(),
                    timeout: Some(timeout),
                };
                (Kind::Acks, message)
            }
            Question::Sockets => self.about(id, to, What::Sockets),
            Question::Count => self.about(id, to, What::Count),
            Question::Rooms => self.about(id, to, What::Rooms),
            Question::Servers(event) => {
                let answer = Some(Wish {
                    id,
                    even_if_nothing: true,
                });
                let event = event.clone();
                (Kind::Once(None), Message::Tell { event, answer })
            }
            _ => return None,
        };
        let nobody = matches!(
            question,
            Question::Acks(_) | Question::Sockets | Question::Count
        );
        if nobody && is_nobody(to) {
            return None;
        }
        let others = self.link.spawn(self.voice.ask(&message));
        Some(call.answers(kind, others, deadline))
    }

    fn about(&self, id: Box<str>, to: &Selection, what: What) -> (Kind, Message) {
        let to = to.clone();
        (Kind::Once(Some(what)), Message::AskAbout { id, to, what })
    }
}

/// Says what a server or an emitter has to say: a broadcast,
pub(crate) fn broadcast<V: Voice + ?Sized>(
    voice: &V,
    to: &Selection,
    broadcast: &Broadcast,
) -> Confirmed {
    match is_nobody(to) {
        true => Confirmed::now(),
        false => voice.broadcast(to, broadcast),
    }
}

/// a command,
pub(crate) fn command<V: Voice + ?Sized>(
    voice: &V,
    to: &Selection,
    command: &Command,
) -> Confirmed {
    match is_nobody(to) {
        true => Confirmed::now(),
        false => voice.say(&Message::Command {
            to: to.clone(),
            command: command.clone(),
            confirm: None,
        }),
    }
}

/// or an event for servers.
pub(crate) fn tell<V: Voice + ?Sized>(voice: &V, event: &Data) -> Confirmed {
    voice.say(&Message::Tell {
        event: event.clone(),
        answer: None,
    })
}

/// On the wire no rooms are everybody, so that what is for nobody must not be sent.
fn is_nobody(to: &Selection) -> bool {
    to.rooms.as_ref().is_some_and(Vec::is_empty)
}
