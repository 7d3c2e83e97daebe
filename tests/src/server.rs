//! Servers on a port of their own, and plain HTTP to talk to them.

use axum::Router;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Serves a router on a free port for as long as the runtime lives.
///
/// # Panics
///
/// Panics when no port is free.
pub async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// Sends one request on a connection of its own and returns the whole response.
///
/// # Panics
///
/// Panics when the server can't be reached, or does not answer with text.
pub async fn request(address: SocketAddr, head: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    exchange(address, &request).await
}

/// Writes bytes as they are and returns what comes back until the server closes the connection.
///
/// # Panics
///
/// Panics when the server can't be reached, or does not answer with text.
pub async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("an open connection");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("a response in UTF-8");
    response
}

/// Writes a request as it is and returns the head of the response, with the connection that it came on.
///
/// # Panics
///
/// Panics when the server can't be reached, or closes the connection before it has answered.
pub async fn begin(address: SocketAddr, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("an open connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the head of a response"));
    }
    (String::from_utf8(head).expect("a head in UTF-8"), stream)
}
