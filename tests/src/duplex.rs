//! A client that speaks the protocol by hand, over a duplex in memory: what is sent and what comes is seen to the letter.

use futures_util::{SinkExt, StreamExt};
use rooms_layer::{Adapter, RoomsLayer};
use tokio::{
    io::{DuplexStream, duplex},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

/// A connection, in the namespace `/` or in none yet.
#[derive(Debug)]
pub struct Client {
    stream: WebSocketStream<DuplexStream>,
    connection: JoinHandle<()>,
}

impl Client {
    /// Opens a connection, without joining a namespace.
    pub async fn open<A: Adapter>(rooms: &RoomsLayer<A>) -> Self {
        let (ours, theirs) = duplex(64 * 1024);
        let request = http::Request::get("/socket.io/?EIO=4&transport=websocket")
            .header("accept-language", "de")
            .body(())
            .expect("a request");
        let connection = tokio::spawn(rooms.accept(&request, ours));
        let stream = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let mut client = Client { stream, connection };
        assert!(client.next().await.starts_with('0'));
        client
    }

    /// Opens a connection and joins `/`.
    pub async fn join<A: Adapter>(rooms: &RoomsLayer<A>, auth: &str) -> Self {
        let mut client = Client::open(rooms).await;
        client.send(&format!("40{auth}")).await;
        let reply = client.next().await;
        assert!(reply.starts_with(r#"40{"sid":"#), "{reply}");
        client
    }

    /// Sends a packet.
    pub async fn send(&mut self, packet: &str) {
        let message = Message::text(packet.to_owned());
        self.stream.send(message).await.expect("a connection");
    }

    /// The next packet.
    pub async fn next(&mut self) -> String {
        match self.stream.next().await.expect("a packet") {
            Ok(Message::Text(text)) => text.to_string(),
            other => panic!("not a text packet: {other:?}"),
        }
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

    /// Ends the connection, and waits until the server has seen it.
    pub async fn leave(mut self) {
        self.stream.close(None).await.ok();
        while let Some(Ok(_)) = self.stream.next().await {}
        self.connection.await.expect("a connection that ends");
    }
}
