//! How connections come about, on servers of several kinds.

use crate::{Room, enter, heard, said};
use http_body_util::Empty;
use hyper::{Request, Response, body::Bytes, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rooms_layer::prelude::*;
use rooms_tests::{client::Client, server};
use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, service_fn};
use tracing_subscriber::fmt::MakeWriter;

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: test\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn a_stream_that_speaks_websocket_already_is_served() {
    let rooms = RoomsLayer::new().on(enter);
    let io = rooms.io::<Main>();

    // What this client speaks through is a pipe in memory: `RoomsLayer::accept` serves its other end.
    let mut client = Client::join(&rooms, "").await;
    assert_eq!(client.ask(r#"["enter",1]"#).await, "[true]");
    io.to(Room::project(1))
        .emit(said("hello"))
        .expect("an open server");
    io.emit(said("end")).expect("an open server");
    assert_eq!(heard(&mut client).await, ["hello", "end"]);

    assert_eq!(rooms.connections(), 1);
    client.leave().await;
    assert_eq!(rooms.connections(), 0);
}

#[tokio::test]
async fn a_handle_that_is_asked_for_too_late_harms_no_client() {
    #[derive(Namespace)]
    #[namespace(path = "/late", open)]
    struct Late;

    let rooms = RoomsLayer::new().on(enter);
    let mut first = Client::join(&rooms, "").await;
    assert_eq!(first.ask(r#"["enter",1]"#).await, "[true]");

    // Before the first client, this would have been a mistake of the start: nobody has mounted it.
    let _io = rooms.io::<Late>();

    let mut second = Client::join(&rooms, "").await;
    assert_eq!(second.ask(r#"["enter",1]"#).await, "[true]");
    assert_eq!(first.ask(r#"["enter",2]"#).await, "[true]");
}

#[tokio::test]
async fn a_server_that_can_not_upgrade_says_why_in_its_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // The default of this thread, on which the whole test runs.
    let _guard = tracing::subscriber::set_default(subscriber);

    let rooms = RoomsLayer::new();
    let app = rooms.layer(service_fn(async |_: Request<_>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("the test connects");
        let service = TowerToHyperService::new(app);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.await
    });
    server::exchange(address, HANDSHAKE).await;

    let log = log.text();
    assert!(log.contains("ERROR"), "{log:?}");
    assert!(log.contains(".with_upgrades()"), "{log:?}");
    assert!(log.contains("RoomsLayer::accept"), "{log:?}");
    assert_eq!(rooms.connections(), 0);
}

#[tokio::test]
async fn what_a_websocket_offers_beyond_messages_is_not_taken_up() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let rooms = RoomsLayer::new();
    let address = crate::serve(rooms.clone()).await;
    let offers = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\
        sec-websocket-protocol: chat, superchat\r\n\r\n";
    let request = HANDSHAKE.replacen("\r\n\r\n", &format!("\r\n{offers}"), 1);
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("an open connection");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.expect("an answer"));
    }
    let answer = String::from_utf8(answer).expect("text").to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
}

#[tokio::test]
async fn a_closed_server_lets_its_clients_go() {
    let rooms = RoomsLayer::new();
    let io = rooms.io::<Main>();
    let address = crate::serve(rooms.clone()).await;
    let mut client = Client::connect(address).await;
    assert_eq!((rooms.connections(), io.count().await), (1, 1));
    rooms.close();
    client.ended().await;
    assert!(io.emit(said("too late")).is_err());
}

/// What is logged, kept.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().expect("nobody panics here");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics here").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
