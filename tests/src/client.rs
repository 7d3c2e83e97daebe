//! A Socket.IO client that sends what it is told to, right or wrong: a WebSocket and the text of packets.

use futures_util::{SinkExt, StreamExt};
use rooms_layer::SocketId;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::Role},
};

/// One connection, in the namespace `/` unless told otherwise. Every method panics when the server does something else than
/// the method waits for: these are tests.
#[derive(Debug)]
pub struct Client<S = TcpStream> {
    stream: WebSocketStream<S>,
    id: SocketId,
}

impl Client {
    /// Connects to the namespace `/` of a server.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::open(address).await;
        client.join().await;
        client
    }

    /// Connects to a server, and to no namespace yet.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = client_async(url, stream).await.expect("a handshake");
        Self::greeted(stream).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Takes a stream on which the HTTP part is over.
    pub async fn over(stream: S) -> Self {
        Self::greeted(WebSocketStream::from_raw_socket(stream, Role::Client, None).await).await
    }

    async fn greeted(stream: WebSocketStream<S>) -> Self {
        let mut client = Self {
            stream,
            id: SocketId::from(""),
        };
        let open = client.packet().await;
        assert!(open.starts_with("0{"), "{open}");
        client
    }

    /// Connects to the namespace `/`.
    pub async fn join(&mut self) {
        self.send("40").await;
        let connected = self.packet().await;
        let connected = connected
            .strip_prefix("40")
            .expect("the connection is accepted");
        let connected: Value = serde_json::from_str(connected).expect("JSON");
        self.id = connected["sid"].as_str().expect("an id").into();
    }

    /// The public id of this client.
    pub fn id(&self) -> &SocketId {
        &self.id
    }

    /// Sends a packet as it is.
    pub async fn send(&mut self, packet: impl Into<String>) {
        let packet = Message::text(packet.into());
        self.stream.send(packet).await.expect("an open connection");
    }

    /// Queues a packet as it is: it goes with the next that is sent.
    pub async fn feed(&mut self, packet: impl Into<String>) {
        let packet = Message::text(packet.into());
        self.stream.feed(packet).await.expect("an open connection");
    }

    /// The next packet, as it is.
    pub async fn packet(&mut self) -> String {
        let message = self.next().await.expect("an open connection");
        message.into_text().expect("a text packet").to_string()
    }

    /// Emits an event: a list that begins with its name.
    pub async fn emit(&mut self, event: Value) {
        self.send(format!("42{event}")).await;
    }

    /// Emits an event and returns its acknowledgement, which must be the next packet.
    pub async fn ask(&mut self, event: Value) -> Value {
        self.send(format!("427{event}")).await;
        let packet = self.packet().await;
        let answer = packet.strip_prefix("437");
        let answer = answer.unwrap_or_else(|| panic!("{packet} is not the answer to {event}"));
        serde_json::from_str::<Value>(answer).expect("JSON")[0].take()
    }

    /// The next event, which must be the next packet: a list that begins with its name.
    pub async fn event(&mut self) -> Value {
        let packet = self.packet().await;
        let event = packet.strip_prefix("42");
        let event = event.unwrap_or_else(|| panic!("{packet} is not an event"));
        serde_json::from_str(event).expect("JSON")
    }

    /// Waits until the server has closed the connection, whatever it says before.
    pub async fn closed(mut self) {
        while self.next().await.is_some() {}
    }

    async fn next(&mut self) -> Option<Message> {
        match self.stream.next().await? {
            Ok(Message::Close(_)) | Err(_) => None,
            Ok(message) => Some(message),
        }
    }
}
