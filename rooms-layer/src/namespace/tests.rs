//! Conversations over a duplex in memory, with handlers that note what they are called for.

mod broadcasts;
mod conversations;
#[cfg(shuttle)]
mod interleavings;
mod leaving;
mod limits;
mod msgpack;
mod observed;
mod recovery;
mod room_events;
mod v3;

use super::{
    BoxFuture, ConnectRequest, Contract, Conversation, Event, Handlers, Hub, Namespace,
    NamespaceConfig, Peer, Refuse, Reply, SlowClients, SocketData,
};
use crate::{
    engine::{EngineConfig, Revision},
    handshake::HandshakeInfo,
    memory::InMemory,
    rooms::{AckError, Flags, Selection},
    session::DisconnectReason,
    transport::stream_pipe,
    wire::{Args, Data, DataWriter, Value},
};
use futures_util::{SinkExt, StreamExt};
use std::{
    any::TypeId,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{DuplexStream, duplex},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, protocol::Role},
};

/// Handlers that note their calls. What an event does is in its name.
#[derive(Default)]
struct Notes {
    calls: Mutex<Vec<String>>,
    changed: Notify,
    /// Events named `wait` take a permit before they end.
    permits: Option<Semaphore>,
    one_at_a_time: AtomicBool,
    slow_clients: SlowClients,
    peers: Mutex<Vec<Arc<Peer>>>,
}

impl Notes {
    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
        self.changed.notify_waiters();
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Waits until this many calls were noted.
    async fn wait_for(&self, count: usize) -> Vec<String> {
        loop {
            let changed = self.changed.notified();
            let calls = self.calls();
            if calls.len() >= count {
                return calls;
            }
            changed.await;
        }
    }

    fn permits(&self) -> &Semaphore {
        self.permits
            .as_ref()
            .expect("a test that waits has permits")
    }

    fn peer(&self, n: usize) -> Arc<Peer> {
        self.peers.lock().unwrap()[n].clone()
    }
}

/// The rooms of a peer that are not its own.
fn rooms(peer: &Peer) -> Vec<String> {
    let mut rooms = peer.rooms();
    rooms.retain(|room| room != peer.id().as_str());
    rooms.sort();
    rooms
}

fn ack(value: &str) -> Data {
    let mut data = DataWriter::ack();
    data.push(value).unwrap();
    data.finish()
}

fn event(name: &str) -> Data {
    DataWriter::event(name).finish()
}

struct Noting(Arc<Notes>);

impl Handlers for Noting {
    fn authorize(&self, request: ConnectRequest) -> BoxFuture<Result<SocketData, Refuse>> {
        Box::pin(async move {
            let auth: Value = request.auth.get(0).unwrap();
            match auth.get("token").and_then(Value::as_str) {
                Some("panic") => panic!("no"),
                Some("never") => std::future::pending().await,
                Some("bad") => Err(Refuse::new("bad token").with_data(&401).unwrap()),
                _ => Ok(Arc::new(()) as SocketData),
            }
        })
    }

    fn connected(&self, peer: &Arc<Peer>) -> Option<BoxFuture<()>> {
        self.0.peers.lock().unwrap().push(peer.clone());
        self.0.note("connected");
        None
    }

    fn event(&self, peer: &Arc<Peer>, event: Event) -> BoxFuture<()> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Box::pin(async move {
            let first: Option<String> = event.args().get(0).unwrap();
            let what = first.unwrap_or_default();
            notes.note(format!("{} {what}", event.name()));
            match event.name() {
                "join" => drop(peer.join(vec![what.clone().into()])),
                "wait" => {
                    notes.permits().acquire().await.unwrap().forget();
                    notes.note(format!("done {what}"));
                }
                "ask" => {
                    let answer = peer
                        .emit_with_ack(super::tests::event("question"), MINUTE)
                        .await;
                    let answer: String = answer.unwrap().get(0).unwrap();
                    notes.note(format!("answer {answer}"));
                }
                "panic" => panic!("on purpose"),
                "late panic" => {
                    tokio::task::yield_now().await;
                    panic!("on purpose")
                }
                "leave me" => peer.disconnect(false),
                "close me" => peer.disconnect(true),
                _ => {}
            }
            if let Some(reply) = event.reply {
                reply.send(ack(&what));
            }
        })
    }

    fn disconnecting(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Some(Box::pin(async move {
            notes.note(format!("disconnecting {reason} {:?}", rooms(&peer)));
            tokio::task::yield_now().await;
            // What was readable at first still is.
            assert_eq!(peer.is_in("a"), rooms(&peer).contains(&"a".to_owned()));
        }))
    }

    fn disconnected(&self, peer: &Arc<Peer>, reason: DisconnectReason) -> Option<BoxFuture<()>> {
        let (notes, peer) = (self.0.clone(), peer.clone());
        Some(Box::pin(async move {
            notes.note(format!("disconnected {reason} {:?}", peer.rooms()));
        }))
    }

    fn describe(&self, _peer: &Peer) -> Option<String> {
        None
    }

    fn hear(
        &self,
        _namespace: Arc<Namespace>,
        event: &str,
        _args: Args,
    ) -> Option<BoxFuture<Option<Data>>> {
        let notes = (event == "wait").then(|| self.0.clone())?;
        Some(Box::pin(async move {
            notes.permits().acquire().await.unwrap().forget();
            Some(ack("heard"))
        }))
    }

    fn watches_outgoing(&self) -> bool {
        false
    }

    fn outgoing(&self, _peer: &Arc<Peer>, _event: &str, _args: &Args) {}

    fn one_at_a_time(&self) -> bool {
        self.0.one_at_a_time.load(Ordering::Relaxed)
    }

    fn slow_clients(&self) -> SlowClients {
        self.0.slow_clients
    }

    fn panicked(&self, _peer: &Arc<Peer>, event: &str, reply: Option<Reply>) {
        self.0.note(format!("panicked in {event}"));
        if let Some(reply) = reply {
            reply.send(ack("sorry"));
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn contract<T: 'static>() -> Contract {
    Contract {
        id: TypeId::of::<T>(),
        name: std::any::type_name::<T>(),
    }
}

struct House {
    hub: Arc<Hub>,
    notes: Arc<Notes>,
    main: Arc<Namespace>,
}

fn house() -> House {
    house_with(Notes::default(), NamespaceConfig::default())
}

/// What most houses have: `/` and another one.
fn usual() -> [(&'static str, Contract); 2] {
    [("/", contract::<()>()), ("/side", contract::<u8>())]
}

fn house_with(notes: Notes, config: NamespaceConfig) -> House {
    house_of(&usual(), notes, config)
}

fn house_of(mounted: &[(&str, Contract)], notes: Notes, config: NamespaceConfig) -> House {
    let hub = Hub::new(Box::new(InMemory));
    assert!(hub.configure(config));
    house_on(hub, mounted, notes)
}

fn house_on(hub: Arc<Hub>, mounted: &[(&str, Contract)], notes: Notes) -> House {
    let notes = Arc::new(notes);
    let handlers: Arc<dyn Handlers> = Arc::new(Noting(notes.clone()));
    for &(path, contract) in mounted {
        hub.mount(path, contract, handlers.clone()).unwrap();
    }
    let (first, contract) = mounted[0];
    let main = hub.namespace(first, contract).unwrap();
    House { hub, notes, main }
}

struct Client {
    stream: WebSocketStream<DuplexStream>,
    task: JoinHandle<()>,
}

impl House {
    async fn visit(&self) -> Client {
        self.visit_with_buffer(64 * 1024).await
    }

    async fn visit_with_buffer(&self, buffer: usize) -> Client {
        self.visit_of(Revision::V4, buffer).await
    }

    async fn visit_of(&self, revision: Revision, buffer: usize) -> Client {
        self.enter(revision, buffer).await.0
    }

    /// A client, and the open packet that it was sent.
    async fn enter(&self, revision: Revision, buffer: usize) -> (Client, String) {
        let (ours, theirs) = duplex(buffer);
        let uri = "/socket.io/".parse().unwrap();
        let info = Arc::new(HandshakeInfo::new(&uri, &http::HeaderMap::new()));
        let engine = self.hub.engine();
        let connection = engine.connect(
            engine.reserve(),
            revision,
            stream_pipe(ours),
            &[],
            |mailbox| Conversation::new(self.hub.clone(), mailbox.clone(), info),
        );
        let task = tokio::spawn(connection);
        let stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let mut client = Client { stream, task };
        let open = client.next().await;
        assert!(open.starts_with("0{"));
        (client, open)
    }

    /// A client that is in `/`.
    async fn member(&self) -> Client {
        let mut client = self.visit().await;
        client.send("40").await;
        assert!(client.next().await.starts_with(r#"40{"sid":""#));
        client
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        let frame = tungstenite::Message::text(text.to_owned());
        self.stream.send(frame).await.unwrap();
    }

    async fn next(&mut self) -> String {
        match self.stream.next().await.expect("a frame").unwrap() {
            tungstenite::Message::Text(text) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The connection ends; the texts that come before.
    async fn end(mut self) -> Vec<String> {
        let mut before = Vec::new();
        while let Some(Ok(frame)) = self.stream.next().await {
            if let tungstenite::Message::Text(text) = frame {
                before.push(text.to_string());
            }
        }
        self.task.await.unwrap();
        before
    }

    async fn leave(mut self) {
        self.stream.close(None).await.unwrap();
        self.end().await;
    }
}
