//! HTTP long-polling, to the letter: statuses, headers and bodies as clients of all kinds rely on them.

use crate::{Done, said};
use axum::Router;
use futures_util::{SinkExt, StreamExt};
use hyper::{
    Method,
    header::{self, HeaderValue},
};
use rooms_layer::{Config, Origins, Refusal, Transports, prelude::*};
use rooms_tests::server;
use std::{future::ready, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};
use tower_http::{compression::CompressionLayer, cors::CorsLayer};

const PATH: &str = "/socket.io/?EIO=4&transport=polling";

/// A server, and why its sockets went.
async fn serve(
    config: Config,
) -> (
    SocketAddr,
    RoomsLayer,
    mpsc::UnboundedReceiver<DisconnectReason>,
) {
    let (sender, reasons) = mpsc::unbounded_channel();
    let main = Main::serve(()).on(async |_: Done| true).on_disconnect(
        move |_: Socket<Main>, reason: DisconnectReason| {
            sender.send(reason).ok();
            std::future::ready(())
        },
    );
    let rooms = RoomsLayer::new().config(config).namespace(main);
    (crate::serve(rooms.clone()).await, rooms, reasons)
}

/// A response, with the headers that HTTP servers add left out.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(response: &str) -> Self {
        let (head, body) = response.split_once("\r\n\r\n").expect("a whole response");
        let mut lines = head.lines();
        let status = lines.next().expect("a status line");
        let headers = lines.map(|line| line.split_once(": ").expect("a header"));
        let mut headers: Vec<_> = headers
            .filter(|(name, _)| !["connection", "date", "vary"].contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.sort();
        Self {
            status: status[9..12].parse().expect("a status"),
            headers,
            body: body.to_owned(),
        }
    }

    fn new(status: u16, content: Option<&str>, body: &str) -> Self {
        let mut headers = vec![("content-length".to_owned(), body.len().to_string())];
        if status == 200 {
            headers.insert(0, ("cache-control".to_owned(), "no-store".to_owned()));
        }
        if let Some(content) = content {
            headers.push(("content-type".to_owned(), content.to_owned()));
        }
        Self {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    fn packets(body: &str) -> Self {
        Self::new(200, Some("text/plain; charset=UTF-8"), body)
    }

    fn ok() -> Self {
        Self::new(200, Some("text/html"), "ok")
    }

    fn silent(status: u16) -> Self {
        Self::new(status, None, "")
    }

    fn error(status: u16, code: u8, message: &str) -> Self {
        let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        Self::new(status, Some("application/json"), &body)
    }
}

/// A client that polls by hand.
struct Poller {
    address: SocketAddr,
    sid: String,
}

impl Poller {
    async fn open(address: SocketAddr) -> Self {
        let answer = Answer::parse(&server::request(address, &format!("GET {PATH}"), "").await);
        let sid = answer
            .body
            .split('"')
            .nth(3)
            .expect("an open packet")
            .to_owned();
        let open = format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\
             \"maxPayload\":1000000}}"
        );
        assert_eq!(answer, Answer::packets(&open));
        Self { address, sid }
    }

    /// Opens a session with more headers than usual.
    async fn open_as(address: SocketAddr, headers: &str) -> Self {
        let request =
            format!("GET {PATH} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
        let answer = Answer::parse(&server::exchange(address, &request).await);
        let sid = answer.body.split('"').nth(3).expect("an open packet");
        Self {
            address,
            sid: sid.to_owned(),
        }
    }

    /// Opens a session and joins `/`.
    async fn join(address: SocketAddr) -> Self {
        let client = Self::open(address).await;
        assert_eq!(client.post("40").await, Answer::ok());
        assert!(client.get().await.body.starts_with("40{\"sid\""));
        client
    }

    async fn request(&self, method: &str, query: &str, headers: &str, body: &str) -> Answer {
        let Self { address, sid } = self;
        let length = body.len();
        let request = format!(
            "{method} {PATH}&sid={sid}{query} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\
             content-length: {length}\r\n\r\n{body}"
        );
        Answer::parse(&server::exchange(*address, &request).await)
    }

    async fn get(&self) -> Answer {
        self.request("GET", "", "", "").await
    }

    async fn post(&self, body: &str) -> Answer {
        self.request(
            "POST",
            "",
            "content-type: text/plain;charset=UTF-8\r\n",
            body,
        )
        .await
    }

    /// Sends a request or the beginning of one, and leaves the connection open.
    async fn begin(&self, method: &str, rest: &str) -> TcpStream {
        let stream = TcpStream::connect(self.address).await;
        let mut stream = stream.expect("a connection");
        let sid = &self.sid;
        let request = format!("{method} {PATH}&sid={sid} HTTP/1.1\r\nhost: test\r\n{rest}");
        let written = stream.write_all(request.as_bytes()).await;
        written.expect("an open connection");
        stream
    }

    /// Opens a WebSocket for the session.
    async fn websocket(&self) -> Result<WebSocketStream<TcpStream>, Error> {
        let Self { address, sid } = self;
        let stream = TcpStream::connect(address).await.expect("a connection");
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket&sid={sid}");
        Ok(client_async(url, stream).await?.0)
    }
}

#[tokio::test]
async fn a_session_is_polled() {
    let (address, rooms, mut reasons) = serve(Config::default()).await;
    let client = Poller::open(address).await;
    assert_eq!(client.post("40").await, Answer::ok());
    let joined = client.get().await;
    assert!(joined.body.starts_with("40{\"sid\":"), "{joined:?}");
    assert!(
        !joined.body.contains(&client.sid),
        "the secret is not the public id"
    );
    assert_eq!(
        client.post("427[\"done\"]\x1e428[\"done\"]").await,
        Answer::ok()
    );
    assert_eq!(
        client.get().await,
        Answer::packets("437[true]\x1e438[true]")
    );
    let held = client.get();
    let emit = async {
        rooms
            .io::<Main>()
            .emit(said("hello"))
            .expect("an open server")
    };
    let (held, _) = tokio::join!(held, emit);
    assert_eq!(held, Answer::packets("42[\"said\",\"hello\"]"));
    assert_eq!(client.post("1").await, Answer::ok());
    assert_eq!(reasons.recv().await, Some(DisconnectReason::TransportClose));
    assert_eq!(
        client.get().await,
        Answer::error(400, 1, "Session ID unknown")
    );
}

#[tokio::test]
async fn what_is_refused_is_answered_as_clients_expect() {
    let (address, _rooms, mut reasons) = serve(Config::default().max_payload(1_000)).await;
    let answer = Answer::parse(&server::request(address, &format!("GET {PATH}"), "").await);
    assert!(answer.body.ends_with("\"maxPayload\":1000}"), "{answer:?}");
    let sid = answer
        .body
        .split('"')
        .nth(3)
        .expect("an open packet")
        .to_owned();
    let client = Poller { address, sid };
    assert_eq!(client.post("40").await, Answer::ok());
    client.get().await;

    // None of these touches the session.
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(
            client.request(method, "", "", "").await,
            Answer::silent(500),
            "{method}"
        );
    }
    let large = "x".repeat(1_001);
    assert_eq!(client.post(&large).await, Answer::silent(413));
    let chunked = format!(
        "connection: close\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{large}\r\n0\r\n\r\n"
    );
    let stream = client.begin("POST", &chunked).await;
    assert_eq!(read_answer(stream).await, Answer::silent(413));
    let bad_request = Answer::error(400, 3, "Bad request");
    for (query, expected) in [
        ("&EIO=3", &bad_request),
        ("&EIO=", &bad_request),
        ("&transport=websocket", &bad_request),
        (
            "&transport=webtransport",
            &Answer::error(400, 0, "Transport unknown"),
        ),
        (
            "&sid=AAAAAAAAAAAAAAAAAAAA",
            &Answer::error(400, 1, "Session ID unknown"),
        ),
    ] {
        assert_eq!(
            &client.request("GET", query, "", "").await,
            expected,
            "{query}"
        );
    }
    for (head, expected) in [
        (
            format!("POST {PATH}"),
            Answer::error(400, 2, "Bad handshake method"),
        ),
        (
            "GET /socket.io/?EIO=3&transport=polling".to_owned(),
            Answer::error(400, 5, "Unsupported protocol version"),
        ),
        (
            format!("GET {PATH} HTTP/1.1\r\norigin: https://elsewhere.com\r\nx:"),
            Answer::error(403, 4, "Forbidden"),
        ),
    ] {
        let answer = Answer::parse(&server::request(address, &head, "").await);
        assert_eq!(answer, expected, "{head}");
    }
    assert_eq!(client.post("427[\"done\"]").await, Answer::ok());
    assert_eq!(client.get().await, Answer::packets("437[true]"));
    assert!(reasons.try_recv().is_err(), "the session is still open");

    // And this ends it.
    let binary = "content-type: application/octet-stream\r\n";
    assert_eq!(
        client.request("POST", "", binary, "4x").await,
        Answer::silent(400)
    );
    assert_eq!(reasons.recv().await, Some(DisconnectReason::TransportError));
}

#[tokio::test]
async fn a_request_that_its_client_gives_up_ends_the_session() {
    let (address, _rooms, mut reasons) = serve(Config::default()).await;
    for (method, rest) in [
        ("GET", "\r\n"),
        ("POST", "content-length: 100\r\n\r\n42[\"num"),
        ("POST", "transfer-encoding: chunked\r\n\r\n5\r\n42"),
    ] {
        let client = Poller::join(address).await;
        drop(client.begin(method, rest).await);
        let reason = reasons.recv().await;
        assert_eq!(reason, Some(DisconnectReason::TransportError), "{method}");
    }
}

#[tokio::test]
async fn a_session_changes_to_websocket() {
    let (address, rooms, mut reasons) = serve(Config::default()).await;
    let io = rooms.io::<Main>();
    let client = Poller::join(address).await;
    let held = client.get();
    let probing = async {
        let mut socket = client.websocket().await.expect("a handshake");
        socket
            .send("2probe".into())
            .await
            .expect("an open connection");
        assert_eq!(next(&mut socket).await, "3probe");
        socket
    };
    let (held, mut socket) = tokio::join!(held, probing);
    assert_eq!(held, Answer::packets("6"));
    io.emit(said("kept")).expect("an open server");
    socket.send("5".into()).await.expect("an open connection");
    socket
        .send("427[\"done\"]".into())
        .await
        .expect("an open connection");
    assert_eq!(next(&mut socket).await, "42[\"said\",\"kept\"]");
    assert_eq!(next(&mut socket).await, "437[true]");

    for answer in [client.get().await, client.post("4x").await] {
        assert_eq!(answer, Answer::error(400, 3, "Bad request"));
    }
    let mut second = client.websocket().await.expect("a handshake");
    let told = second.next().await.expect("a frame").expect("a frame");
    assert_eq!(told, Message::Close(None));
    assert!(reasons.try_recv().is_err(), "the session is still open");
    assert_eq!(rooms.connections(), 1);

    let stranger = Poller {
        address,
        sid: "AAAAAAAAAAAAAAAAAAAA".to_owned(),
    };
    match stranger.websocket().await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 400),
        other => panic!("{other:?}"),
    }
    socket.close(None).await.expect("an open connection");
    assert_eq!(reasons.recv().await, Some(DisconnectReason::TransportClose));
}

#[tokio::test]
async fn a_transport_that_is_switched_off_is_unknown() {
    let unknown = Answer::error(400, 0, "Transport unknown");
    let config = Config::default().transports(Transports::WebSocket);
    let (address, ..) = serve(config).await;
    let answer = server::request(address, &format!("GET {PATH}"), "").await;
    assert_eq!(Answer::parse(&answer), unknown);

    let config = Config::default().transports(Transports::Polling);
    let (address, ..) = serve(config).await;
    let open = server::request(address, &format!("GET {PATH}"), "").await;
    assert!(open.contains("\"upgrades\":[]"), "{open}");
    let websocket = "GET /socket.io/?EIO=4&transport=websocket";
    let answer = server::request(address, websocket, "").await;
    assert_eq!(Answer::parse(&answer), unknown);
}

/// As in Node's `cors` option: every answer, refusals and the 101 included, says whose page may read it.
#[tokio::test]
async fn cors_is_the_work_of_a_layer_around() {
    const PAGE: &str = "https://app.example.com";
    let config = Config::default().origins(Origins::list([PAGE]));
    let config = config.http(|http| {
        http.allow_request(|head| {
            ready(match head.headers.contains_key("x-refuse") {
                true => Err(Refusal::default()),
                false => Ok(()),
            })
        })
    });
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static(PAGE)])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE]);
    let app = Router::new()
        .layer(RoomsLayer::new().config(config))
        .layer(cors);
    let address = server::serve(app).await;

    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let preflight =
        "access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n";
    let open = Poller::open_as(address, &format!("origin: {PAGE}\r\n")).await;
    let session = format!("{PATH}&sid={}", open.sid);
    for (request, headers, status) in [
        (format!("GET {PATH}"), "", "200 OK"),
        (
            format!("POST {session}"),
            "content-length: 2\r\n\r\n40",
            "200 OK",
        ),
        (format!("GET {session}"), "", "200 OK"),
        (format!("PUT {session}"), "", "500 Internal Server Error"),
        (
            format!("POST {session}"),
            "content-length: 2000000\r\n",
            "413 Payload Too Large",
        ),
        (format!("GET {PATH}&sid=x"), "", "400 Bad Request"),
        (format!("POST {PATH}"), "", "400 Bad Request"),
        (
            "GET /socket.io/?EIO=4&transport=websocket".to_owned(),
            "",
            "400 Bad Request",
        ),
        (format!("GET {PATH}"), "x-refuse: 1\r\n", "403 Forbidden"),
        (format!("OPTIONS {PATH}"), preflight, "200 OK"),
        (
            "GET /socket.io/?EIO=4&transport=websocket".to_owned(),
            upgrade,
            "101 Switching Protocols",
        ),
    ] {
        let head = format!("{request} HTTP/1.1\r\nhost: test\r\norigin: {PAGE}\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let written = stream.write_all(head.as_bytes()).await;
        written.expect("an open connection");
        let mut response = Vec::new();
        while !response.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            let read = stream.read_buf(&mut response).await;
            assert_ne!(read.expect("a response"), 0, "{request}");
        }
        let response = String::from_utf8_lossy(&response);
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{response}"
        );
        for header in [
            format!("access-control-allow-origin: {PAGE}\r\n"),
            "access-control-allow-credentials: true\r\n".to_owned(),
        ] {
            assert!(response.contains(&header), "{request}: {response}");
        }
    }
    // Another page learns nothing, and gets no session.
    let request = format!("GET {PATH} HTTP/1.1\r\norigin: https://elsewhere.com\r\nx:");
    let response = server::request(address, &request, "").await;
    assert!(response.starts_with("HTTP/1.1 403 "), "{response}");
    assert!(
        !response.contains("access-control-allow-origin"),
        "{response}"
    );
}

#[tokio::test]
async fn compression_is_the_work_of_a_layer_around() {
    let rooms = RoomsLayer::new();
    let io = rooms.io::<Main>();
    let app = Router::new().layer(rooms).layer(CompressionLayer::new());
    let address = server::serve(app).await;
    let client = Poller::join(address).await;
    let text = "again and ".repeat(10_000);
    io.emit(said(&text)).expect("an open server");
    let stream = client.begin("GET", "connection: close\r\naccept-encoding: gzip\r\n\r\n");
    let mut response = Vec::new();
    let read = stream.await.read_to_end(&mut response).await;
    read.expect("a response");
    let head = String::from_utf8_lossy(&response);
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    assert!(response.len() < text.len() / 10, "{} bytes", response.len());
}

async fn read_answer(mut stream: TcpStream) -> Answer {
    let mut response = String::new();
    let read = stream.read_to_string(&mut response).await;
    read.expect("a response in UTF-8");
    Answer::parse(&response)
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> String {
    let message = socket.next().await.expect("a frame").expect("a frame");
    message.into_text().expect("a text packet").to_string()
}
