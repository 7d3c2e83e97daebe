//! Servers on a port of their own, and plain HTTP to talk to them.

use axum::Router;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The headers that ask for a WebSocket.
pub const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

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

/// Sends a GET with these headers, each with its line break, and returns the whole response.
///
/// # Panics
///
/// Panics as [`request`] does.
pub async fn get(address: SocketAddr, target: &str, headers: &str) -> String {
    let request =
        format!("GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    exchange(address, &request).await
}

/// Asks for a WebSocket and returns the head of the response, with the connection that it came on.
///
/// # Panics
///
/// Panics as [`begin`] does.
pub async fn upgrade(address: SocketAddr, target: &str) -> (String, TcpStream) {
    let request = format!("GET {target} HTTP/1.1\r\nhost: test\r\n{UPGRADE}\r\n");
    begin(address, &request).await
}

/// The body of a whole response.
///
/// # Panics
///
/// Panics when the response is not whole.
pub fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").expect("a whole response").1
}

/// The session id of an open packet.
///
/// # Panics
///
/// Panics when this is none.
pub fn sid(open: &str) -> String {
    open.split('"').nth(3).expect("an open packet").to_owned()
}
