//! HTTP/2: long-polling as it is, and WebSocket in a stream of its own (RFC 8441). The client is hyper's.

use crate::{Done, said};
use axum::Router;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, Version, client::conn::http2::SendRequest,
    ext::Protocol, header, server::conn::http2, upgrade::Upgraded,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use rooms_layer::{Config, HandshakeCookie, prelude::*};
use rooms_tests::server;
use std::{convert::Infallible, net::SocketAddr};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};
use tower::{Layer, service_fn};
use tower_http::{compression::CompressionLayer, cors::CorsLayer};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// A connection, on which all requests of a test travel side by side.
struct Client {
    requests: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let io = TokioIo::new(stream);
        let (requests, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .expect("a server that speaks HTTP/2");
        tokio::spawn(connection);
        let mut client = Self { requests, address };
        // The server's settings are here with its first answer: without them no extended CONNECT may be sent.
        let (status, _) = client.exchange(Method::GET, "/socket.io/", "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        client
    }

    fn request(&self, method: Method, target: &str) -> http::request::Builder {
        let uri = format!("http://{}{target}", self.address);
        Request::builder()
            .method(method)
            .uri(uri)
            .version(Version::HTTP_2)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Response<hyper::body::Incoming> {
        let response = self.requests.send_request(request).await;
        response.expect("a response")
    }

    async fn exchange(&mut self, method: Method, target: &str, body: &str) -> (StatusCode, String) {
        let request = self.request(method, target);
        let request = request.body(Bytes::from(body.to_owned()).into());
        let response = self.send(request.expect("a request")).await;
        assert_eq!(response.version(), Version::HTTP_2);
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole body");
        let body = String::from_utf8(body.to_bytes().into()).expect("a text");
        (status, body)
    }

    fn connect(&self, target: &str) -> http::request::Builder {
        self.request(Method::CONNECT, target)
            .extension(Protocol::from_static("websocket"))
            .header(header::SEC_WEBSOCKET_VERSION, "13")
    }

    async fn websocket(&mut self, target: &str) -> WebSocket {
        let request = self.connect(target).body(Full::default());
        let response = self.send(request.expect("a request")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
        assert!(
            !response
                .headers()
                .contains_key(header::SEC_WEBSOCKET_ACCEPT)
        );
        let upgraded = hyper::upgrade::on(response).await.expect("a stream");
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await
    }
}

async fn next(socket: &mut WebSocket) -> String {
    let message = socket.next().await.expect("a frame").expect("a frame");
    message.into_text().expect("a text packet").to_string()
}

async fn send(socket: &mut WebSocket, packet: impl Into<Message>) {
    let sent = socket.send(packet.into()).await;
    sent.expect("an open connection");
}

#[derive(Event, serde::Serialize, serde::Deserialize)]
#[event(client, ack = usize)]
struct Blob(Bytes);

fn rooms() -> (RoomsLayer, mpsc::UnboundedReceiver<DisconnectReason>) {
    let (sender, reasons) = mpsc::unbounded_channel();
    let main = Main::serve(())
        .on(async |_: Done| true)
        .on(async |Blob(blob): Blob| blob.len())
        .on_disconnect(move |_: Socket<Main>, reason: DisconnectReason| {
            sender.send(reason).ok();
            std::future::ready(())
        });
    (RoomsLayer::new().namespace(main), reasons)
}

async fn on_axum(rooms: RoomsLayer) -> SocketAddr {
    // These change nothing for a stream that becomes a connection.
    let app = Router::new()
        .layer(rooms)
        .layer(CompressionLayer::new())
        .layer(CorsLayer::permissive());
    server::serve(app).await
}

async fn on_hyper(rooms: RoomsLayer) -> SocketAddr {
    let inner = service_fn(async |_: Request<hyper::body::Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let service = rooms.layer(inner);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            let connection = http2::Builder::new(TokioExecutor::new())
                .enable_connect_protocol()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    address
}

#[tokio::test]
async fn all_transports_on_one_connection_to_axum() {
    let (rooms, reasons) = rooms();
    check(on_axum(rooms.clone()).await, &rooms, reasons).await;
}

#[tokio::test]
async fn all_transports_on_one_connection_to_hyper() {
    let (rooms, reasons) = rooms();
    check(on_hyper(rooms.clone()).await, &rooms, reasons).await;
}

async fn check(
    address: SocketAddr,
    rooms: &RoomsLayer,
    mut reasons: mpsc::UnboundedReceiver<DisconnectReason>,
) {
    let io = rooms.io::<Main>();
    let mut client = Client::new(address).await;

    // Polling.
    let (status, open) = client.exchange(Method::GET, POLLING, "").await;
    assert_eq!(status, StatusCode::OK);
    let sid = open.split('"').nth(3).expect("an open packet").to_owned();
    let session = format!("{POLLING}&sid={sid}");
    let posted = client.exchange(Method::POST, &session, "40").await;
    assert_eq!(posted, (StatusCode::OK, "ok".to_owned()));
    let (_, joined) = client.exchange(Method::GET, &session, "").await;
    assert!(joined.starts_with("40{\"sid\""), "{joined}");

    // WebSocket, in a stream beside it.
    let mut socket = client.websocket(WEBSOCKET).await;
    assert!(next(&mut socket).await.starts_with("0{\"sid\""));
    send(&mut socket, "40").await;
    assert!(next(&mut socket).await.starts_with("40{\"sid\""));
    send(&mut socket, "421[\"done\"]").await;
    assert_eq!(next(&mut socket).await, "431[true]");
    send(
        &mut socket,
        "451-2[\"blob\",{\"_placeholder\":true,\"num\":0}]",
    )
    .await;
    send(&mut socket, Message::binary(vec![7; 300_000])).await;
    assert_eq!(next(&mut socket).await, "432[300000]");

    // A broadcast reaches both, and is larger than the window of a stream.
    let text = "x".repeat(500_000);
    io.emit(said(&text)).expect("an open server");
    let expected = format!("42[\"said\",\"{text}\"]");
    assert!(next(&mut socket).await == expected);
    let (_, polled) = client.exchange(Method::GET, &session, "").await;
    assert!(polled == expected);

    // The session changes to a stream of its own.
    let mut changed = client
        .websocket(&session.replace("polling", "websocket"))
        .await;
    send(&mut changed, "2probe").await;
    assert_eq!(next(&mut changed).await, "3probe");
    send(&mut changed, "5").await;
    send(&mut changed, "427[\"done\"]").await;
    assert_eq!(next(&mut changed).await, "437[true]");
    assert_eq!(rooms.connections(), 2);

    // Each ends by itself, and the connection below goes on.
    socket.close(None).await.expect("an open connection");
    while let Some(Ok(_)) = socket.next().await {}
    assert_eq!(reasons.recv().await, Some(DisconnectReason::TransportClose));
    drop(changed);
    let reason = reasons.recv().await.expect("the other one ends too");
    assert!(
        [
            DisconnectReason::TransportClose,
            DisconnectReason::TransportError
        ]
        .contains(&reason),
        "{reason}"
    );
    let mut again = client.websocket(WEBSOCKET).await;
    assert!(next(&mut again).await.starts_with("0{\"sid\""));
}

#[tokio::test]
async fn the_server_may_end_a_stream() {
    let (rooms, _reasons) = rooms();
    let mut client = Client::new(on_axum(rooms.clone()).await).await;
    let mut socket = client.websocket(WEBSOCKET).await;
    assert!(next(&mut socket).await.starts_with("0{\"sid\""));
    rooms.close();
    let goodbye = socket.next().await.expect("a frame").expect("a frame");
    assert_eq!(goodbye, Message::Close(None));
    while let Some(Ok(_)) = socket.next().await {}
    // The connection below is the HTTP server's to end.
    let (status, _) = client.exchange(Method::GET, "/socket.io/", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_refused_is_answered_as_over_http_1() {
    let config = Config::default().http(|http| {
        http.max_handshakes(3)
            .cookie(HandshakeCookie::default())
            .headers(|_, headers| {
                headers.insert("x-every", header::HeaderValue::from_static("1"));
            })
    });
    let mut client = Client::new(on_axum(RoomsLayer::new().config(config)).await).await;
    let bad_version = |mut request: Request<Full<Bytes>>| {
        request.headers_mut().remove(header::SEC_WEBSOCKET_VERSION);
        request
    };
    let foreign = |mut request: Request<Full<Bytes>>| {
        let origin = header::HeaderValue::from_static("https://elsewhere.com");
        request.headers_mut().insert(header::ORIGIN, origin);
        request
    };
    let other_protocol = |mut request: Request<Full<Bytes>>| {
        let extensions = request.extensions_mut();
        extensions.insert(Protocol::from_static("connect-udp"));
        request
    };
    let unchanged = |request| request;
    let unknown = format!("{WEBSOCKET}&sid=x");
    type Change<'a> = &'a dyn Fn(Request<Full<Bytes>>) -> Request<Full<Bytes>>;
    let cases: [(&str, Change<'_>, u16, u8); 6] = [
        (WEBSOCKET, &bad_version, 426, 3),
        (WEBSOCKET, &foreign, 403, 4),
        (WEBSOCKET, &other_protocol, 400, 2),
        (POLLING, &unchanged, 400, 2),
        (&unknown, &unchanged, 400, 1),
        ("/socket.io/?EIO=3&transport=websocket", &unchanged, 400, 5),
    ];
    // More often than there are places.
    for (target, change, status, code) in cases.into_iter().cycle().take(24) {
        let request = client.connect(target).body(Full::default());
        let request = change(request.expect("a request"));
        let response = client.send(request).await;
        assert_eq!(response.status(), status, "{target}");
        assert_eq!(response.headers()["x-every"], "1");
        let body = response.into_body().collect().await.expect("a whole body");
        let body = String::from_utf8(body.to_bytes().into()).expect("a text");
        assert!(
            body.starts_with(&format!("{{\"code\":{code},")),
            "{target}: {body}"
        );
    }
    let mut socket = client.websocket(WEBSOCKET).await;
    assert!(next(&mut socket).await.starts_with("0{\"sid\""));
}
