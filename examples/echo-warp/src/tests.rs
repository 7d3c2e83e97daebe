use super::*;
use futures_util::{SinkExt, StreamExt};
use rooms_layer::test;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Without a socket: the kit's client speaks the whole protocol with the layer.
#[tokio::test]
async fn an_echo_comes_back_and_a_shout_reaches_everybody() {
    let rooms = rooms();
    let connect = || test::Client::<App>::connect(&rooms, ());
    let mut ann = connect().await.expect("everybody is let in");
    let mut bob = connect().await.expect("everybody is let in");

    let answer = ann.emit_with_ack(Echo("hello".to_owned())).await;
    assert_eq!(answer.expect("an answer"), "hello");

    let text = "hello".to_owned();
    ann.emit(Shout { text }).await;
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.expect::<Shout>().await.text, "hello");
    }
}

/// Over the network, as a browser and `curl` would.
#[tokio::test]
async fn news_posted_over_http_reach_those_who_follow_the_topic() {
    let address = start().await;
    let (mut ann, mut bob) = (
        Client::connect(address).await,
        Client::connect(address).await,
    );
    ann.send(r#"420["follow","rust"]"#).await;
    assert_eq!(ann.receive().await, "430[true]");

    assert_eq!(
        post(address, "/topics/rust", "1.95").await,
        "HTTP/1.1 204 No Content"
    );
    assert_eq!(
        ann.receive().await,
        r#"42["news",{"topic":"rust","text":"1.95"}]"#
    );

    // The first that Bob hears is what was said to everybody after the news.
    bob.send(r#"42["shout",{"text":"hello"}]"#).await;
    assert_eq!(bob.receive().await, r#"42["shout",{"text":"hello"}]"#);
}

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(serve(listener));
    address
}

/// Returns the first line of the response.
async fn post(address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("an open connection");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("a response");
    response.lines().next().unwrap_or_default().to_owned()
}

/// A client that speaks as much Socket.IO as these tests need.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (connection, _) = connect_async(url).await.expect("a handshake");
        let mut client = Self(connection);
        assert!(client.receive().await.starts_with("0{"));
        client.send("40").await;
        assert!(client.receive().await.starts_with("40{"));
        client
    }

    async fn send(&mut self, packet: &str) {
        self.0
            .send(packet.into())
            .await
            .expect("an open connection");
    }

    async fn receive(&mut self) -> String {
        let message = self.0.next().await.expect("an open connection");
        message
            .expect("a message")
            .into_text()
            .expect("text")
            .to_string()
    }
}
