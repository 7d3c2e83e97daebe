//! One server of a cluster, ours or Node's.

use crate::{
    app::{Confirm, Said, Space, Warm, join, leave, tell},
    client::{Client, Ticket},
    node::Node,
    tap::Tap,
};
use futures_util::StreamExt;
use rooms_layer::{
    prelude::*,
    rooms::{
        Selection,
        adapter::{AdapterError, Answer, Answers, Question, RecoveryConfig},
    },
    wire::{DataWriter, Value},
};
use rooms_tests::{
    peer::{from_json, to_json},
    proxy::Proxy,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::duplex;

/// How long questions are given that all will answer.
pub(crate) const AMPLE: Duration = Duration::from_secs(10);

/// A member of a cluster.
pub(crate) struct Server {
    pub(crate) kind: ServerKind,
    /// Between the server and the engine, where there is an engine.
    pub(crate) network: Option<Proxy>,
}

pub(crate) enum ServerKind {
    Ours(Ours),
    Node(Node),
}

/// A server of ours.
pub(crate) struct Ours {
    pub(crate) layer: RoomsLayer<Tap>,
    pub(crate) tap: Tap,
}

/// What sockets have acknowledged.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) answers: Vec<Value>,
    /// Whether nobody is missing.
    pub(crate) complete: bool,
}

impl Asked {
    /// The answers in an order of their own.
    pub(crate) fn sorted(mut self) -> Vec<Value> {
        self.answers.sort_by_key(|answer| format!("{answer:?}"));
        self.answers
    }
}

/// What servers have answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) answers: Vec<Value>,
    pub(crate) missing: usize,
}

/// Calls a method with whom a selection means.
macro_rules! at {
    ($io:expr, $to:expr, |$target:ident| $body:expr) => {{
        let except = rooms_of(&$to.except);
        match &$to.rooms {
            Some(rooms) => {
                let $target = $io.to(rooms_of(rooms)).except(except);
                $body
            }
            None => {
                let $target = $io.except(except);
                $body
            }
        }
    }};
}

/// Calls a function with the handle to a namespace.
macro_rules! of {
    ($ours:expr, $namespace:expr, |$io:ident| $body:expr) => {
        match $namespace.strip_prefix("/space-") {
            None => {
                let $io = $ours.layer.io::<Main>();
                $body
            }
            Some(id) => {
                let id = id.parse().expect("a number");
                let $io = $ours.layer.at(Space { id }).expect("it is mounted");
                $body
            }
        }
    };
}

fn rooms_of(names: &[Box<str>]) -> Vec<DynRoom> {
    names.iter().map(|name| DynRoom(name.to_string())).collect()
}

impl Server {
    pub(crate) fn ours(tap: Tap, network: Option<Proxy>) -> Self {
        Self::ours_with(tap, network, None)
    }

    /// One to which clients may come back.
    pub(crate) fn ours_with(
        tap: Tap,
        network: Option<Proxy>,
        recovery: Option<RecoveryConfig>,
    ) -> Self {
        let main = Main::serve(()).on(join::<Main>).on(leave::<Main>);
        let space = Space::serve(()).on(join::<Space>).on(leave::<Space>);
        let mut layer = RoomsLayer::with_adapter(tap.clone());
        if let Some(recovery) = recovery {
            layer = layer.recovery(recovery);
        }
        let layer = layer
            .namespace(main.on(tell::<Main>))
            .namespace(space.on(tell::<Space>).build());
        Self {
            kind: ServerKind::Ours(Ours { layer, tap }),
            network,
        }
    }

    pub(crate) fn node(node: Node, network: Option<Proxy>) -> Self {
        Self {
            kind: ServerKind::Node(node),
            network,
        }
    }

    /// Ours, where only ours will do.
    pub(crate) fn as_ours(&self) -> Option<&Ours> {
        match &self.kind {
            ServerKind::Ours(ours) => Some(ours),
            ServerKind::Node(_) => None,
        }
    }

    pub(crate) async fn client(&self, namespace: &str) -> Client {
        match &self.kind {
            ServerKind::Ours(ours) => ours.client(namespace, None).await,
            ServerKind::Node(node) => {
                Client::connect(([127, 0, 0, 1], node.port).into(), namespace).await
            }
        }
    }

    /// Emits `said`.
    pub(crate) async fn emit(&self, to: &Selection, value: impl Into<Value>) {
        self.emit_in("/", to, value).await;
    }

    pub(crate) async fn emit_in(&self, namespace: &str, to: &Selection, value: impl Into<Value>) {
        let value = value.into();
        match &self.kind {
            ServerKind::Ours(ours) => {
                let said = Said(value);
                let sent = of!(ours, namespace, |io| at!(io, to, |target| target
                    .emit(said)));
                let sent = sent.expect("an open server");
                sent.await.expect("an engine that takes it");
            }
            ServerKind::Node(node) => {
                node.call(
                    "emit",
                    namespace,
                    to,
                    json!({ "event": ["said", to_json(&value)] }),
                )
                .await;
            }
        }
    }

    /// Emits `said`, and says whether the others were told.
    pub(crate) async fn try_emit(
        &self,
        to: &Selection,
        value: impl Into<Value>,
    ) -> Result<(), AdapterError> {
        let ours = self.as_ours().expect("only ours are looked at");
        let (said, io) = (Said(value.into()), ours.layer.io::<Main>());
        let sent = at!(io, to, |target| target.emit(said));
        sent.expect("an open server").await
    }

    /// Emits `said` without waiting for the engine.
    pub(crate) fn emit_at_once(&self, to: &Selection, value: impl Into<Value>) {
        match &self.kind {
            ServerKind::Ours(_) => self.emit_here(to, value),
            ServerKind::Node(node) => {
                let event = json!({ "event": ["said", to_json(&value.into())] });
                node.peer.cast("emit", node.addressed("/", to, event));
            }
        }
    }

    /// Emits `said`, whether or not the others are told.
    pub(crate) fn emit_here(&self, to: &Selection, value: impl Into<Value>) {
        let ours = self.as_ours().expect("only ours are looked at");
        let (said, io) = (Said(value.into()), ours.layer.io::<Main>());
        drop(at!(io, to, |target| target.emit(said)).expect("an open server"));
    }

    /// Emits `warm`, which clients do not hear.
    pub(crate) async fn warm(&self, from: usize) {
        match &self.kind {
            ServerKind::Ours(ours) => {
                let sent = ours.layer.io::<Main>().emit(Warm(from.to_string()));
                drop(sent.expect("an open server"));
            }
            ServerKind::Node(node) => {
                let event = json!({ "event": ["warm", from.to_string()] });
                node.call("emit", "/", &Selection::everybody(), event).await;
            }
        }
    }

    /// Emits `confirm` and collects what sockets answer.
    pub(crate) async fn ask(
        &self,
        to: &Selection,
        value: impl Into<Value>,
        timeout: Duration,
    ) -> Asked {
        let value = value.into();
        match &self.kind {
            ServerKind::Ours(ours) => {
                let confirm = Confirm(value);
                let io = ours.layer.io::<Main>();
                let acks = at!(io, to, |target| target
                    .timeout(timeout)
                    .emit_with_ack(confirm));
                let acks = acks.expect("an open server").collect().await;
                let complete = acks.iter().all(|(_, answer)| answer.is_ok());
                let answers = acks.into_iter().filter_map(|(_, answer)| answer.ok());
                let answers = answers.collect();
                Asked { answers, complete }
            }
            ServerKind::Node(node) => {
                let event = json!(["confirm", to_json(&value)]);
                let parameters = json!({ "event": event, "timeout": timeout.as_millis() as u64 });
                let answer = node.call("ask", "/", to, parameters).await;
                Asked {
                    answers: values(&answer["answers"]),
                    complete: answer["complete"] == true,
                }
            }
        }
    }

    /// The selected sockets of all servers: their ids, and their rooms without these.
    pub(crate) async fn fetch(&self, to: &Selection) -> Vec<(String, Vec<String>)> {
        let mut found: Vec<_> = match &self.kind {
            ServerKind::Ours(ours) => {
                let local = ours.tap.line("/").local.clone();
                let mut found: Vec<_> = rooms_layer::rooms::adapter::Local::sockets(&*local, to);
                for answer in ours.question(to, Question::Sockets).await {
                    match answer {
                        Answer::Found(socket) => found.push(socket),
                        other => panic!("not a socket: {other:?}"),
                    }
                }
                let found = found.into_iter().map(|socket| {
                    let rooms = socket.rooms.iter().map(ToString::to_string).collect();
                    (socket.id.to_string(), rooms)
                });
                found.collect()
            }
            ServerKind::Node(node) => {
                let found = node.call("fetch", "/", to, json!({})).await;
                let found = found.as_array().expect("an array").iter().map(|socket| {
                    let text =
                        |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                    let rooms = socket["rooms"].as_array().expect("an array");
                    (
                        text(&socket["id"]),
                        rooms.iter().map(text).collect::<Vec<_>>(),
                    )
                });
                found.collect()
            }
        };
        for (id, rooms) in &mut found {
            rooms.retain(|room| room != id);
            rooms.sort();
        }
        found.sort();
        found
    }

    /// Has the selected sockets of all servers join rooms.
    pub(crate) async fn command_join(&self, to: &Selection, room: &str) {
        match &self.kind {
            ServerKind::Ours(ours) => {
                let io = ours.layer.io::<Main>();
                let changed = at!(io, to, |target| target.join(DynRoom::from(room)));
                changed.await.expect("an engine that takes it");
            }
            ServerKind::Node(node) => node.command("join", to, json!({ "rooms": [room] })).await,
        }
    }

    /// Has the selected sockets of all servers leave rooms.
    pub(crate) async fn command_leave(&self, to: &Selection, room: &str) {
        match &self.kind {
            ServerKind::Ours(ours) => {
                let io = ours.layer.io::<Main>();
                let changed = at!(io, to, |target| target.leave(DynRoom::from(room)));
                changed.await.expect("an engine that takes it");
            }
            ServerKind::Node(node) => node.command("leave", to, json!({ "rooms": [room] })).await,
        }
    }

    /// Disconnects the selected sockets of all servers.
    pub(crate) async fn command_disconnect(&self, to: &Selection) {
        match &self.kind {
            ServerKind::Ours(ours) => {
                let io = ours.layer.io::<Main>();
                let changed = at!(io, to, |target| target.disconnect_sockets());
                changed.await.expect("an engine that takes it");
            }
            ServerKind::Node(node) => {
                node.command("disconnect", to, json!({ "close": false }))
                    .await
            }
        }
    }

    /// Tells the other servers of an event.
    pub(crate) async fn tell(&self, value: impl Into<Value>) {
        let value = value.into();
        match &self.kind {
            ServerKind::Ours(ours) => {
                let event = event("question", &value);
                let told = ours.tap.line("/").channel.tell(&event);
                told.await.expect("an engine that takes it");
            }
            ServerKind::Node(node) => {
                let event = json!({ "event": ["question", to_json(&value)] });
                node.call("tell", "/", &Selection::everybody(), event).await;
            }
        }
    }

    /// Asks the other servers themselves.
    pub(crate) async fn tell_with_ack(&self, value: impl Into<Value>) -> Heard {
        let value = value.into();
        match &self.kind {
            ServerKind::Ours(ours) => {
                let event = event("question", &value);
                let mut heard = Heard::default();
                let everybody = Selection::everybody();
                for answer in ours.question(&everybody, Question::Servers(&event)).await {
                    match answer {
                        Answer::Heard(answer) => {
                            heard.answers.push(answer.get(0).expect("a value"));
                        }
                        Answer::Missing(servers) => heard.missing += servers,
                        other => panic!("not an answer of a server: {other:?}"),
                    }
                }
                heard
            }
            ServerKind::Node(node) => {
                let event = json!({ "event": ["question", to_json(&value)] });
                let answer = node
                    .call("tellWithAck", "/", &Selection::everybody(), event)
                    .await;
                Heard {
                    answers: values(&answer["answers"]),
                    missing: usize::from(answer["complete"] != true),
                }
            }
        }
    }

    /// The events of other servers that this one was told, without their name.
    pub(crate) async fn heard(&self) -> Vec<Value> {
        match &self.kind {
            ServerKind::Ours(ours) => {
                let heard = ours.tap.heard();
                heard
                    .into_iter()
                    .filter_map(|mut event| event.pop())
                    .collect()
            }
            ServerKind::Node(node) => {
                let parameters = json!({ "server": node.number });
                let heard = node.peer.call("heard", parameters).await;
                let heard = heard.as_array().expect("an array").iter();
                heard.map(|arguments| from_json(&arguments[0])).collect()
            }
        }
    }

    /// Closes the server in order.
    pub(crate) async fn close(&self) {
        match &self.kind {
            ServerKind::Ours(ours) => ours.layer.close(),
            ServerKind::Node(node) => {
                let parameters = json!({ "server": node.number });
                node.peer.call("close", parameters).await;
            }
        }
    }
}

impl Ours {
    /// A client, which may be one that comes back.
    pub(crate) async fn client(&self, namespace: &str, ticket: Option<&Ticket>) -> Client {
        let (ours, theirs) = duplex(64 * 1024);
        let request = http::Request::get("/socket.io/?EIO=4&transport=websocket");
        let request = request.body(()).expect("a request");
        tokio::spawn(self.layer.accept(&request, theirs));
        Client::over(ours, namespace, ticket).await
    }

    /// What the other servers answer to a question in `/`.
    pub(crate) async fn question(&self, to: &Selection, question: Question<'_>) -> Vec<Answer> {
        self.question_for(to, question, AMPLE).await
    }

    pub(crate) async fn question_for(
        &self,
        to: &Selection,
        question: Question<'_>,
        time: Duration,
    ) -> Vec<Answer> {
        let answers = self
            .tap
            .line("/")
            .channel
            .ask(to, question, Instant::now() + time);
        let answers: Answers = answers.unwrap_or_else(|| Box::pin(futures_util::stream::empty()));
        answers.collect().await
    }
}

/// The data of an event.
pub(crate) fn event(name: &str, value: &Value) -> rooms_layer::wire::Data {
    let mut event = DataWriter::event(name);
    event.push(value).expect("a value can be encoded");
    event.finish()
}

fn values(array: &serde_json::Value) -> Vec<Value> {
    array
        .as_array()
        .expect("an array")
        .iter()
        .map(from_json)
        .collect()
}
