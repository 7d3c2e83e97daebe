//! An adapter around another one that keeps hold of what passes the door, so that a case can knock on it from both sides.

use futures_util::FutureExt;
use rooms_layer::{
    Adapter, SocketId,
    bounds::CanRecover,
    rooms::{
        Selection,
        adapter::{
            Answers, BoxFuture, Broadcast, Channel, Command, Confirmed, Health, Local, Moved,
            Opening, Publisher, Question, Recovery, SocketInfo,
        },
    },
    wire::{Args, Data, DataWriter, Value},
};
use std::{
    collections::HashMap,
    future::ready,
    sync::{Arc, Mutex, Weak},
    time::Instant,
};

/// The adapter of one server, and what it has opened.
#[derive(Clone)]
pub(crate) struct Tap {
    inner: Arc<dyn Adapter>,
    opened: Arc<Mutex<HashMap<String, Weak<Line>>>>,
    /// Every event that other servers have told this one of.
    heard: Arc<Mutex<Vec<Vec<Value>>>>,
    /// What is answered to these, if anything.
    answer: &'static str,
}

impl Tap {
    pub(crate) fn new(inner: Arc<dyn Adapter>, answer: &'static str) -> Self {
        Self {
            inner,
            opened: Arc::default(),
            heard: Arc::default(),
            answer,
        }
    }

    /// The way to the other servers of a namespace, and the sockets of this one.
    pub(crate) fn line(&self, namespace: &str) -> Arc<Line> {
        let opened = self.opened.lock().expect("nobody panics");
        let line = opened.get(namespace).and_then(Weak::upgrade);
        line.expect("the namespace is open")
    }

    pub(crate) fn heard(&self) -> Vec<Vec<Value>> {
        self.heard.lock().expect("nobody panics").clone()
    }
}

impl Adapter for Tap {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn open(&self, opening: Opening<'_>) -> Box<dyn Channel> {
        let ear = Arc::new(Ear {
            inner: opening.local.clone(),
            heard: self.heard.clone(),
            answer: self.answer,
        });
        let mut tapped = opening.clone();
        let local: Arc<dyn Local> = ear.clone();
        tapped.local = Arc::downgrade(&local);
        let line = Arc::new(Line {
            channel: self.inner.open(tapped),
            local: ear,
        });
        let mut opened = self.opened.lock().expect("nobody panics");
        opened.insert(opening.namespace.to_owned(), Arc::downgrade(&line));
        Box::new(Pass(line))
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn health_changed(&self, seen: Health) -> BoxFuture<Health> {
        self.inner.health_changed(seen)
    }

    fn close(&self) -> Confirmed {
        self.inner.close()
    }
}

/// Where the inner one does.
impl CanRecover for Tap {}

/// Both sides of one namespace.
pub(crate) struct Line {
    pub(crate) channel: Box<dyn Channel>,
    pub(crate) local: Arc<Ear>,
}

/// The namespace, with ears for the events of other servers.
pub(crate) struct Ear {
    inner: Weak<dyn Local>,
    heard: Arc<Mutex<Vec<Vec<Value>>>>,
    answer: &'static str,
}

impl Ear {
    fn inner(&self) -> Option<Arc<dyn Local>> {
        self.inner.upgrade()
    }
}

impl Local for Ear {
    fn deliver(&self, to: &Selection, broadcast: Broadcast) -> usize {
        self.inner().map_or(0, |local| local.deliver(to, broadcast))
    }

    fn obey(&self, to: &Selection, command: &Command) {
        if let Some(local) = self.inner() {
            local.obey(to, command);
        }
    }

    fn ask(&self, to: &Selection, data: Data, deadline: Instant) -> (Answers, usize) {
        match self.inner() {
            Some(local) => local.ask(to, data, deadline),
            None => (Box::pin(futures_util::stream::empty()), 0),
        }
    }

    fn hear(&self, event: Data) -> BoxFuture<Option<Data>> {
        let name: Value = serde_json::Deserializer::from_str(&event.json()[1..])
            .into_iter()
            .next()
            .expect("an event has a name")
            .expect("it is JSON");
        let arguments = Args::from_data(&event).expect("they are JSON");
        let mut heard = vec![name];
        heard.extend(arguments.values().expect("they are values"));
        self.heard.lock().expect("nobody panics").push(heard);
        let mut answer = DataWriter::ack();
        answer.push(self.answer).expect("text can be encoded");
        ready(Some(answer.finish())).boxed()
    }

    fn sockets(&self, to: &Selection) -> Vec<SocketInfo> {
        self.inner().map_or(Vec::new(), |local| local.sockets(to))
    }

    fn rooms(&self) -> Vec<String> {
        self.inner().map_or(Vec::new(), |local| local.rooms())
    }

    fn has_room(&self, room: &str) -> bool {
        self.inner().is_some_and(|local| local.has_room(room))
    }

    fn rooms_of(&self, socket: &SocketId) -> Option<Vec<String>> {
        self.inner()?.rooms_of(socket)
    }

    fn evict(&self, socket: &SocketId) {
        if let Some(local) = self.inner() {
            local.evict(socket);
        }
    }
}

/// What the layer holds.
struct Pass(Arc<Line>);

impl Publisher for Pass {
    fn broadcast(&self, to: &Selection, broadcast: &Broadcast) -> Confirmed {
        self.0.channel.broadcast(to, broadcast)
    }

    fn command(&self, to: &Selection, command: &Command) -> Confirmed {
        self.0.channel.command(to, command)
    }

    fn tell(&self, event: &Data) -> Confirmed {
        self.0.channel.tell(event)
    }
}

impl Channel for Pass {
    fn ask(&self, to: &Selection, question: Question<'_>, deadline: Instant) -> Option<Answers> {
        self.0.channel.ask(to, question, deadline)
    }

    fn moved(&self, socket: &SocketId, moved: Moved<'_>) -> Confirmed {
        self.0.channel.moved(socket, moved)
    }

    fn recovery(&self) -> Option<&dyn Recovery> {
        self.0.channel.recovery()
    }
}
