//! One connection, with what has arrived on it.

use rust_socketio::{ClientBuilder, Event, Payload, TransportType, client::Client};
use serde_json::{Value, json};
use std::{
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

/// How long anything may take before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection of the client. It is not closed: once closed, the client's thread would run without a pause until the end of the process.
pub struct Peer {
    client: Client,
    heard: Mutex<Receiver<(String, Payload)>>,
}

/// How a connection is made.
pub struct Options {
    pub token: &'static str,
    pub namespace: &'static str,
    pub transport: TransportType,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: "secret",
            namespace: "/",
            transport: TransportType::Any,
        }
    }
}

impl Peer {
    /// A connection that the server has let in.
    pub fn connect(url: &str, options: Options) -> Self {
        let peer = Self::open(url, options);
        peer.next("connect");
        peer
    }

    /// A connection that has asked to be let in.
    pub fn open(url: &str, options: Options) -> Self {
        let (tell, heard) = mpsc::channel();
        let told = |name: &'static str, tell: &Sender<_>| {
            let tell = tell.clone();
            // Whoever listened may be done.
            move |payload: Payload, _| drop(tell.send((name.to_owned(), payload)))
        };
        let client = ClientBuilder::new(url)
            .namespace(options.namespace)
            .auth(json!({ "token": options.token }))
            .transport_type(options.transport)
            .reconnect_delay(10, 100)
            .on(Event::Connect, told("connect", &tell))
            .on(Event::Close, told("close", &tell))
            .on(Event::Error, told("error", &tell))
            .on_any(move |event, payload, _| drop(tell.send((String::from(event), payload))))
            .connect()
            .unwrap_or_else(|error| panic!("the client can't connect: {error}"));
        Self {
            client,
            heard: Mutex::new(heard),
        }
    }

    pub fn emit(&self, event: &str, payload: impl Into<Payload>) {
        self.client
            .emit(event, payload)
            .unwrap_or_else(|error| panic!("{event} can't be emitted: {error}"));
    }

    /// The acknowledgement's argument.
    pub fn ask(&self, event: &str, payload: impl Into<Payload>) -> Value {
        let (tell, answers) = mpsc::channel();
        self.client
            .emit_with_ack(event, payload, PATIENCE, move |answer, _| {
                drop(tell.send(answer))
            })
            .unwrap_or_else(|error| panic!("{event} can't be emitted: {error}"));
        let answer = answers.recv_timeout(PATIENCE);
        // This client hands on the list of arguments as if it were one.
        match argument(answer.unwrap_or_else(|_| panic!("nobody acknowledged {event}"))) {
            Value::Array(mut arguments) if arguments.len() == 1 => arguments.remove(0),
            other => panic!("{event} was acknowledged with {other}"),
        }
    }

    /// What came with the next such event. Others that come before it are skipped.
    pub fn next(&self, event: &str) -> Payload {
        self.until(event).1
    }

    /// The first argument of every `told` that comes before the next such event.
    pub fn told_until(&self, event: &str) -> Vec<Value> {
        self.until(event).0
    }

    fn until(&self, event: &str) -> (Vec<Value>, Payload) {
        let heard = self.heard.lock().expect("one thread uses a peer");
        let mut told = Vec::new();
        loop {
            match heard.recv_timeout(PATIENCE) {
                Ok((name, payload)) if name == event => return (told, payload),
                Ok((name, payload)) if name == "told" => told.push(argument(payload)),
                Ok(_) => (),
                Err(_) => panic!("no {event} within {PATIENCE:?}"),
            }
        }
    }
}

/// The only argument of an event.
pub fn argument(payload: Payload) -> Value {
    match payload {
        Payload::Text(mut arguments) if arguments.len() == 1 => arguments.remove(0),
        other => panic!("{other:?} instead of one argument"),
    }
}
