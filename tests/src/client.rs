//! A client that speaks the protocol by hand: what is sent and what comes is seen to the letter.
//!
//! Its methods panic when the server does something else than they wait for: this is for tests.

use futures_util::{SinkExt, StreamExt};
use rooms_layer::{Adapter, RoomsLayer, SocketId};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, duplex},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::Role},
};

/// A connection, in a namespace or in none yet: over a duplex in memory, or over a network.
#[derive(Debug)]
pub struct Client<S = DuplexStream> {
    stream: WebSocketStream<S>,
    /// The server's end, where it is ours to wait for.
    connection: Option<JoinHandle<()>>,
    id: Option<SocketId>,
}

impl Client {
    /// Opens a connection in memory, without joining a namespace.
    pub async fn open<A: Adapter>(rooms: &RoomsLayer<A>) -> Self {
        let request = http::Request::get("/socket.io/?EIO=4&transport=websocket")
            .header("accept-language", "de")
            .body(())
            .expect("a request");
        Self::open_with(rooms, &request).await
    }

    /// Opens a connection in memory with this handshake, without joining a namespace.
    pub async fn open_with<A: Adapter>(rooms: &RoomsLayer<A>, request: &http::Request<()>) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let connection = tokio::spawn(rooms.accept(request, ours));
        let stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        Self::greeted(stream, Some(connection)).await
    }

    /// Opens a connection in memory and joins `/`.
    pub async fn join<A: Adapter>(rooms: &RoomsLayer<A>, auth: &str) -> Self {
        let mut client = Client::open(rooms).await;
        client.enter("", auth).await;
        client
    }

    /// Opens a connection in memory and joins another namespace.
    pub async fn join_at<A: Adapter>(rooms: &RoomsLayer<A>, path: &str, auth: &str) -> Self {
        let mut client = Client::open(rooms).await;
        client.enter(&format!("{path},"), auth).await;
        client
    }
}

impl Client<TcpStream> {
    /// Connects to a server and joins `/`.
    pub async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::dial(address).await;
        client.enter("", "").await;
        client
    }

    /// Connects to a server, without joining a namespace.
    pub async fn dial(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        Self::dial_over(stream).await
    }

    /// Connects over a stream that leads to a server, and joins `/`.
    pub async fn connect_over(stream: TcpStream) -> Self {
        let mut client = Self::dial_over(stream).await;
        client.enter("", "").await;
        client
    }

    async fn dial_over(stream: TcpStream) -> Self {
        let address = stream.peer_addr().expect("it is connected");
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = client_async(url, stream).await.expect("a handshake");
        Self::greeted(stream, None).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn greeted(stream: WebSocketStream<S>, connection: Option<JoinHandle<()>>) -> Self {
        let mut client = Client {
            stream,
            connection,
            id: None,
        };
        assert!(client.next().await.starts_with('0'));
        client
    }

    async fn enter(&mut self, namespace: &str, auth: &str) {
        self.send(&format!("40{namespace}{auth}")).await;
        let reply = self.next().await;
        let id = reply.strip_prefix(&format!(r#"40{namespace}{{"sid":""#));
        let id = id.and_then(|rest| rest.strip_suffix(r#""}"#));
        let id = id.unwrap_or_else(|| panic!("not accepted: {reply}"));
        self.id = Some(id.into());
    }

    /// The public id, once the client has joined a namespace.
    pub fn id(&self) -> &SocketId {
        self.id.as_ref().expect("the client has joined a namespace")
    }

    /// Sends a packet.
    pub async fn send(&mut self, packet: &str) {
        let message = Message::text(packet.to_owned());
        self.stream.send(message).await.expect("a connection");
    }

    /// Queues a packet, which goes at the latest with the next that is sent.
    pub async fn feed(&mut self, packet: &str) {
        let message = Message::text(packet.to_owned());
        self.stream.feed(message).await.expect("a connection");
    }

    /// The next packet.
    pub async fn next(&mut self) -> String {
        match self.stream.next().await.expect("a packet") {
            Ok(Message::Text(text)) => text.to_string(),
            other => panic!("not a text packet: {other:?}"),
        }
    }

    /// The next attachment of the packet before.
    pub async fn attachment(&mut self) -> Vec<u8> {
        match self.stream.next().await.expect("an attachment") {
            Ok(Message::Binary(bytes)) => bytes.to_vec(),
            other => panic!("not an attachment: {other:?}"),
        }
    }

    /// The next packet, which is an event: a list that begins with its name.
    pub async fn event(&mut self) -> Value {
        let packet = self.next().await;
        let event = packet.strip_prefix("42");
        let event = event.and_then(|event| serde_json::from_str(event).ok());
        event.unwrap_or_else(|| panic!("not an event: {packet}"))
    }

    /// Sends an event and returns its acknowledgement. Nothing else may come before it.
    pub async fn ask(&mut self, event: &str) -> String {
        self.send(&format!("427{event}")).await;
        let reply = self.next().await;
        match reply.strip_prefix("437") {
            Some(reply) => reply.to_owned(),
            None => panic!("not an acknowledgement: {reply}"),
        }
    }

    /// Waits until the server has ended the connection.
    pub async fn ended(&mut self) {
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Ends the connection, and waits until the server has seen it.
    pub async fn leave(mut self) {
        self.stream.close(None).await.ok();
        self.ended().await;
        if let Some(connection) = self.connection {
            connection.await.expect("a connection that ends");
        }
    }
}
