//! A client of any server, ours or Node's: the protocol by hand, so that what comes is seen as it comes.

use futures_util::{SinkExt, StreamExt};
use rooms_layer::{
    SocketId,
    wire::{
        Data, DataWriter, Limits, Value,
        socket_io::{Decoder, Kind, Packet},
    },
};
use std::{collections::VecDeque, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::Role},
};

/// How long anything that must come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connected client in one namespace.
pub(crate) struct Client {
    stream: WebSocketStream<Box<dyn Stream>>,
    decoder: Decoder,
    limits: Limits,
    namespace: String,
    id: SocketId,
    /// With what it comes back, where it may.
    token: Option<String>,
    offset: Option<String>,
    /// Events that came while something else was waited for.
    events: VecDeque<Packet>,
}

/// With what a client comes back.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) token: String,
    pub(crate) offset: String,
}

impl Client {
    /// Speaks over a stream that speaks WebSocket already.
    pub(crate) async fn over(
        stream: impl Stream + 'static,
        namespace: &str,
        ticket: Option<&Ticket>,
    ) -> Self {
        let stream: Box<dyn Stream> = Box::new(stream);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Self::enter(stream, namespace, ticket).await
    }

    /// Connects to a server.
    pub(crate) async fn connect(address: SocketAddr, namespace: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let stream: Box<dyn Stream> = Box::new(stream);
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = client_async(url, stream).await.expect("a handshake");
        Self::enter(stream, namespace, None).await
    }

    async fn enter(
        stream: WebSocketStream<Box<dyn Stream>>,
        namespace: &str,
        ticket: Option<&Ticket>,
    ) -> Self {
        let mut client = Self {
            stream,
            decoder: Decoder::for_client(),
            limits: Limits::default(),
            namespace: namespace.to_owned(),
            id: SocketId::anonymous(),
            token: None,
            offset: None,
            events: VecDeque::new(),
        };
        let auth = ticket.map(|Ticket { token, offset }| {
            serde_json::json!({ "pid": token, "offset": offset }).to_string()
        });
        let auth = auth.unwrap_or_default();
        let connect = format!("40{}{auth}", client.prefix());
        client.send(Message::text(connect)).await;
        let reply = loop {
            let packet = client.packet().await.expect("an answer");
            match packet.kind() {
                // What it has missed comes first.
                Kind::Event => client.events.push_back(packet),
                kind => {
                    assert_eq!(kind, Kind::Connect, "not let in");
                    break packet;
                }
            }
        };
        let reply: Value = reply.args().get(0).expect("an object");
        let text = |name| reply.get(name).and_then(Value::as_str);
        client.id = text("sid").expect("an id").into();
        client.token = text("pid").map(str::to_owned);
        client
    }

    /// With what this client may come back once it has heard something.
    pub(crate) fn ticket(&self) -> Ticket {
        let (token, offset) = (self.token.clone(), self.offset.clone());
        Ticket {
            token: token.expect("clients may come back"),
            offset: offset.expect("it has heard something"),
        }
    }

    pub(crate) fn id(&self) -> &SocketId {
        &self.id
    }

    /// Enters a room, and returns when the others know of it.
    pub(crate) async fn join(&mut self, room: &str) {
        self.ask("join", &[room.into()]).await;
    }

    /// Leaves a room.
    pub(crate) async fn leave(&mut self, room: &str) {
        self.ask("leave", &[room.into()]).await;
    }

    /// Has its server emit `said` to others, as handlers do: this client is left out.
    pub(crate) async fn tell(&mut self, rooms: Option<&[&str]>, except: &[&str], value: Value) {
        let names =
            |rooms: &[&str]| Value::Array(rooms.iter().map(|room| (*room).into()).collect());
        let mut to = vec![("except".to_owned(), names(except))];
        if let Some(rooms) = rooms {
            to.push(("rooms".to_owned(), names(rooms)));
        }
        self.ask("tell", &[Value::Object(to), value]).await;
    }

    async fn ask(&mut self, event: &str, arguments: &[Value]) -> Packet {
        let mut data = DataWriter::event(event);
        for argument in arguments {
            data.push(argument).expect("a value can be encoded");
        }
        self.packets("2", "7", data.finish()).await;
        loop {
            let packet = self.packet().await.expect("an acknowledgement");
            match packet.kind() {
                Kind::Ack => return packet,
                _ => self.events.push_back(packet),
            }
        }
    }

    /// Says goodbye to its namespace.
    pub(crate) async fn leave_namespace(&mut self) {
        let goodbye = format!("41{}", self.prefix());
        self.send(Message::text(goodbye)).await;
    }

    /// The next event: its name and its arguments.
    pub(crate) async fn event(&mut self) -> (String, Vec<Value>) {
        let packet = self.next_event().await;
        let mut values = packet.args().values().expect("values");
        // Where clients may come back, the place of an event is behind its arguments.
        if self.token.is_some()
            && packet.event() == "said"
            && let Some(Value::String(offset)) = values.pop_if(|_| packet.args().len() > 1)
        {
            self.offset = Some(offset);
        }
        (packet.event().to_owned(), values)
    }

    /// What `said` says, up to the one that says `end`.
    pub(crate) async fn heard(&mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            let (event, mut arguments) = self.event().await;
            match (&*event, arguments.pop()) {
                ("warm", _) => {}
                ("said", Some(Value::String(text))) if text == "end" => return heard,
                ("said", Some(value)) => heard.push(value),
                other => panic!("something else came: {other:?}"),
            }
        }
    }

    /// The next event, which asks for an acknowledgement: its argument is sent back behind a word.
    pub(crate) async fn answer(&mut self, word: &str) -> Value {
        // What is left of the warming up may come behind a question, which takes another way where there is a stream.
        let mut packet = self.next_event().await;
        while packet.event() == "warm" {
            packet = self.next_event().await;
        }
        let id = packet.id().expect("an acknowledgement is asked for");
        let value: Value = packet.args().get(0).expect("a value");
        let mut data = DataWriter::ack();
        let answer = vec![word.into(), value.clone()];
        data.push(&Value::Array(answer))
            .expect("a value can be encoded");
        self.packets("3", &id.to_string(), data.finish()).await;
        value
    }

    /// Waits until the server has ended the conversation; whether it also closed the connection.
    pub(crate) async fn disconnected(&mut self) {
        while let Some(packet) = self.packet().await {
            if packet.kind() == Kind::Disconnect {
                return;
            }
        }
    }

    async fn next_event(&mut self) -> Packet {
        if let Some(packet) = self.events.pop_front() {
            return packet;
        }
        let packet = self.packet().await.expect("an open connection");
        assert_eq!(packet.kind(), Kind::Event);
        packet
    }

    /// Sends data as a packet, with its attachments behind it.
    async fn packets(&mut self, kind: &str, id: &str, data: Data) {
        let kind = match (data.attachments().len(), kind) {
            (0, kind) => kind.to_owned(),
            (count, "2") => format!("5{count}-"),
            (count, _) => format!("6{count}-"),
        };
        let text = format!("4{kind}{}{id}{}", self.prefix(), data.json());
        self.send(Message::text(text)).await;
        for attachment in data.attachments() {
            self.send(Message::binary(attachment.clone())).await;
        }
    }

    fn prefix(&self) -> String {
        match &*self.namespace {
            "/" => String::new(),
            namespace => format!("{namespace},"),
        }
    }

    async fn send(&mut self, message: Message) {
        self.stream.send(message).await.expect("a connection");
    }

    /// The next packet of Socket.IO; `None` when the connection is closed.
    async fn packet(&mut self) -> Option<Packet> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await;
            let decoded = match message.expect("a packet in time")? {
                Ok(Message::Text(text)) => match text.split_at_checked(1)? {
                    ("4", packet) => self.decoder.text(packet, &self.limits),
                    ("2", _) => {
                        self.send(Message::text("3")).await;
                        continue;
                    }
                    // The open packet, and no-ops.
                    _ => continue,
                },
                Ok(Message::Binary(data)) => self.decoder.binary(&data, &self.limits),
                _ => return None,
            };
            if let Some(packet) = decoded.expect("a packet of Socket.IO") {
                return Some(packet);
            }
        }
    }
}
