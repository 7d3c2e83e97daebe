//! Clients of Socket.IO 1 and 2, to the letter: statuses, headers and bodies as Engine.IO 3 has them.

use crate::Done;
use futures_util::{SinkExt, StreamExt};
use rooms_layer::{Config, Origins, prelude::*};
use rooms_tests::client::Client;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

const PATH: &str = "/socket.io/?EIO=3&transport=polling";
const TEXT: &str = "text/plain; charset=UTF-8";

/// Bytes, back as they came.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bytes::Bytes)]
struct Mirror(bytes::Bytes);

/// Bytes for everybody.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast)]
struct Photo(bytes::Bytes);

/// Who the client says it is.
#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Namespace)]
#[namespace(path = "/side", auth = Name, data = String, client(Done))]
struct Side;

fn rooms(config: Config) -> RoomsLayer {
    let main = Main::serve(())
        .on(async |_: Done| true)
        .on(async |Mirror(data): Mirror| data);
    let side = Side::serve(())
        .authorize(async |handshake: Handshake<Side>| match handshake.auth {
            Name { name } if name == "nobody" => Err(Refuse::new("not you")),
            Name { name } => Ok(name),
        })
        .on(async |_: Done| true);
    RoomsLayer::new()
        .config(config.allow_eio3(true))
        .namespace(main)
        .namespace(side)
}

async fn serve(config: Config) -> (SocketAddr, RoomsLayer) {
    let rooms = rooms(config);
    (crate::serve(rooms.clone()).await, rooms)
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn text(content_type: &str, body: &str) -> Self {
        Self {
            status: 200,
            content_type: Some(content_type.to_owned()),
            body: body.into(),
        }
    }

    fn packets(body: &str) -> Self {
        Self::text(TEXT, body)
    }

    fn ok() -> Self {
        Self::text("text/html", "ok")
    }

    fn error(status: u16, code: u8, message: &str) -> Self {
        Self {
            status,
            content_type: Some("application/json".to_owned()),
            body: format!(r#"{{"code":{code},"message":"{message}"}}"#).into(),
        }
    }
}

/// A client that polls by hand.
struct Poller {
    address: SocketAddr,
    /// With all that a request needs.
    path: String,
}

impl Poller {
    /// Opens a session, and returns what it was answered.
    async fn open(address: SocketAddr, query: &str, headers: &str) -> (Self, Answer) {
        let path = format!("{PATH}{query}");
        let mut client = Self { address, path };
        let answer = client.request("GET", headers, b"").await;
        let body = String::from_utf8_lossy(&answer.body).replace('\\', "");
        if let Some((_, sid)) = body.split_once(r#""sid":""#) {
            client.path = format!("{PATH}&sid={}", &sid[..20]);
        }
        (client, answer)
    }

    /// Opens a session, which is in `/`.
    async fn join(address: SocketAddr, query: &str) -> Self {
        let (client, _) = Self::open(address, query, "").await;
        assert_eq!(client.get().await, Answer::packets("2:40"));
        client
    }

    async fn request(&self, method: &str, headers: &str, body: &[u8]) -> Answer {
        let Self { address, path } = self;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = [head.as_bytes(), body].concat();
        stream
            .write_all(&request)
            .await
            .expect("an open connection");
        let mut response = Vec::new();
        let read = stream.read_to_end(&mut response).await;
        read.expect("a whole response");
        let end = response
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .expect("a head");
        let head = String::from_utf8_lossy(&response[..end]);
        let content_type = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        Answer {
            status: head[9..12].parse().expect("a status"),
            content_type: content_type.map(str::to_owned),
            body: response[end + 4..].to_vec(),
        }
    }

    async fn get(&self) -> Answer {
        self.request("GET", "", b"").await
    }

    async fn post(&self, body: &str) -> Answer {
        let text = "content-type: text/plain;charset=UTF-8\r\n";
        self.request("POST", text, body.as_bytes()).await
    }
}

/// Opens a WebSocket, of the session where the query names one.
async fn websocket(address: SocketAddr, query: &str) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let url = format!("ws://{address}/socket.io/?EIO=3&transport=websocket{query}");
    client_async(url, stream).await.expect("a handshake").0
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Message {
    socket.next().await.expect("a frame").expect("a frame")
}

#[tokio::test]
async fn a_session_is_polled() {
    let (address, _rooms) = serve(Config::default()).await;
    let (client, open) = Poller::open(address, "", "").await;
    assert_eq!(open.content_type.as_deref(), Some(TEXT));
    let open = String::from_utf8(open.body).expect("text");
    let (length, packet) = open.split_once(':').expect("a length");
    assert_eq!(length, packet.len().to_string());
    let sid = client.path.rsplit('=').next().expect("an id");
    assert_eq!(
        packet,
        format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000,\
             \"maxPayload\":1000000}}"
        )
    );
    // Nobody has asked for a namespace.
    assert_eq!(client.get().await, Answer::packets("2:40"));
    assert_eq!(client.post("1:211:427[\"done\"]").await, Answer::ok());
    assert_eq!(client.get().await, Answer::packets("1:39:437[true]"));
    for (eio, expected) in [
        ("EIO=4", Answer::error(400, 3, "Bad request")),
        ("EIO=2", Answer::ok()),
    ] {
        let path = client.path.replace("EIO=3", eio);
        let other = Poller { address, path };
        assert_eq!(other.post("11:428[\"done\"]").await, expected, "{eio}");
    }
    assert_eq!(client.get().await, Answer::packets("9:438[true]"));
    assert_eq!(client.post("1:1").await, Answer::ok());
    let gone = Answer::error(400, 1, "Session ID unknown");
    assert_eq!(client.get().await, gone);
}

#[tokio::test]
async fn a_client_that_is_not_allowed_is_told_so() {
    let address = crate::serve(RoomsLayer::new()).await;
    let unsupported = Answer::error(400, 5, "Unsupported protocol version");
    assert_eq!(Poller::open(address, "", "").await.1, unsupported);
}

#[tokio::test]
async fn others_are_served_beside() {
    let (address, rooms) = serve(Config::default()).await;
    let (mut new, old) = (
        Client::connect(address).await,
        Poller::join(address, "").await,
    );
    let io = rooms.io::<Main>();
    io.emit(crate::said("é\u{1f600}")).expect("an open server");
    assert_eq!(new.next().await, "42[\"said\",\"é\u{1f600}\"]");
    assert_eq!(
        old.get().await,
        Answer::packets("16:42[\"said\",\"é\u{1f600}\"]")
    );
    assert_eq!(new.ask("[\"done\"]").await, "[true]");
}

#[tokio::test]
async fn bytes_are_polled_in_either_form() {
    let (address, rooms) = serve(Config::default()).await;
    let (bytes, text) = (
        Poller::join(address, "").await,
        Poller::join(address, "&b64=1").await,
    );
    let photo = Photo(bytes::Bytes::from_static(&[1, 2, 0xff]));
    rooms.io::<Main>().emit(photo).expect("an open server");
    let event = r#"451-["photo",{"_placeholder":true,"num":0}]"#;
    let expected = [
        b"\x00\x04\x03\xff",
        event.as_bytes(),
        b"\x01\x04\xff\x04\x01\x02\xff",
    ];
    let polled = bytes.get().await;
    assert_eq!(
        polled.content_type.as_deref(),
        Some("application/octet-stream")
    );
    assert_eq!(polled.body, expected.concat());
    let expected = format!("43:{event}6:b4AQL/");
    assert_eq!(text.get().await, Answer::packets(&expected));

    // And back, with an answer to either.
    let event = br#"451-7["mirror",{"_placeholder":true,"num":0}]"#;
    let body = [&b"\x00\x04\x05\xff"[..], event, b"\x01\x03\xff\x04\x07\x08"].concat();
    let stated = "content-type: application/octet-stream\r\n";
    for client in [&bytes, &text] {
        let posted = client.request("POST", stated, &body).await;
        assert_eq!(posted, Answer::ok());
    }
    let event = r#"461-7[{"_placeholder":true,"num":0}]"#;
    let expected = [
        b"\x00\x03\x06\xff",
        event.as_bytes(),
        b"\x01\x03\xff\x04\x07\x08",
    ];
    assert_eq!(bytes.get().await.body, expected.concat());
    let expected = format!("36:{event}6:b4Bwg=");
    assert_eq!(text.get().await, Answer::packets(&expected));
}

#[tokio::test]
async fn a_page_polls_with_script_tags() {
    const SCRIPT: &str = "text/javascript; charset=UTF-8";
    let page = "referer: https://app.example.com/page?x\r\n";
    let origins = Origins::list(["https://app.example.com"]);
    let (address, rooms) = serve(Config::default().origins(origins)).await;
    let forbidden = Answer::error(403, 4, "Forbidden");
    for headers in ["", "referer: https://evil.example.com/\r\n"] {
        assert_eq!(Poller::open(address, "&j=0", headers).await.1, forbidden);
    }
    let bad = Answer::error(400, 3, "Bad request");
    assert_eq!(Poller::open(address, "&j=alert()", page).await.1, bad);

    let (client, open) = Poller::open(address, "&j=0&b64=1", page).await;
    assert_eq!(open.content_type.as_deref(), Some(SCRIPT));
    let open = String::from_utf8(open.body).expect("text");
    assert!(open.starts_with(r#"___eio[0]("1"#), "{open}");
    assert!(open.contains(r#":0{\"sid\":\""#), "{open}");
    assert!(open.ends_with(r#"}");"#), "{open}");
    let joined = Answer::text(SCRIPT, r#"___eio[0]("2:40");"#);
    assert_eq!(client.get().await, joined);
    // A number in a later request changes nothing.
    let path = format!("{}&j=7", client.path);
    let client = Poller { address, path };
    rooms
        .io::<Main>()
        .emit(crate::said("\u{2028}\\n"))
        .expect("an open server");
    let said = r#"___eio[0]("17:42[\"said\",\"\u2028\\\\n\"]");"#;
    assert_eq!(client.get().await, Answer::text(SCRIPT, said));

    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let posted = client.request("POST", form, b"d=11%3A427%5B%22done%22%5D");
    assert_eq!(posted.await, Answer::ok());
    let done = Answer::text(SCRIPT, r#"___eio[0]("9:437[true]");"#);
    assert_eq!(client.get().await, done);
}

#[tokio::test]
async fn namespaces_are_asked_for_with_a_query() {
    let (address, rooms) = serve(Config::default()).await;
    let mut client = websocket(address, "").await;
    assert!(next(&mut client).await.to_string().starts_with("0{"));
    assert_eq!(next(&mut client).await, "40".into());
    for (packet, answer) in [
        ("40/side?name=nobody,", r#"44/side,"not you""#),
        ("40/side?name=%C3%A9&x=1,", "40/side,"),
        ("42/side,1[\"done\"]", "43/side,1[true]"),
        ("2", "3"),
        ("2probe", "3"),
    ] {
        client
            .send(packet.into())
            .await
            .expect("an open connection");
        assert_eq!(next(&mut client).await, answer.into(), "{packet}");
    }
    // What it joins changes nothing in how it is written to.
    let photo = Photo(bytes::Bytes::from_static(&[1, 2]));
    rooms.io::<Main>().emit(photo).expect("an open server");
    let event = next(&mut client).await.to_string();
    assert!(event.starts_with("451-[\"photo\""), "{event}");
    assert_eq!(next(&mut client).await, Message::binary(vec![4, 1, 2]));
    client.send("3".into()).await.expect("an open connection");
    assert_eq!(next(&mut client).await, Message::Close(None));
}

#[tokio::test]
async fn who_may_be_in_the_main_namespace_is_asked_of_the_handshake() {
    let main = Main::serve(()).authorize(async |handshake: Handshake<Main>| {
        match handshake.request().query().contains("name=ann") {
            true => Ok(()),
            false => Err(Refuse::new("not you").with_data(&401)?),
        }
    });
    let config = Config::default().allow_eio3(true);
    let address = crate::serve(RoomsLayer::new().config(config).namespace(main)).await;
    Poller::join(address, "&name=ann").await;
    let (refused, _) = Poller::open(address, "&name=bob", "").await;
    assert_eq!(refused.get().await, Answer::packets("5:44401"));
}

#[tokio::test]
async fn a_session_changes_to_websocket() {
    let (address, rooms) = serve(Config::default()).await;
    let client = Poller::join(address, "").await;
    let (_, sid) = client.path.split_once("&sid=").expect("a session");
    let held = client.get();
    let probing = async {
        let mut socket = websocket(address, &format!("&sid={sid}")).await;
        socket
            .send("2probe".into())
            .await
            .expect("an open connection");
        assert_eq!(next(&mut socket).await, "3probe".into());
        socket
    };
    let (held, mut socket) = tokio::join!(held, probing);
    assert_eq!(held, Answer::packets("1:6"));
    let photo = Photo(bytes::Bytes::from_static(&[1, 2]));
    rooms.io::<Main>().emit(photo).expect("an open server");
    for packet in ["5", "427[\"done\"]"] {
        socket
            .send(packet.into())
            .await
            .expect("an open connection");
    }
    let event = r#"451-["photo",{"_placeholder":true,"num":0}]"#;
    assert_eq!(next(&mut socket).await, event.into());
    assert_eq!(next(&mut socket).await, Message::binary(vec![4, 1, 2]));
    assert_eq!(next(&mut socket).await, "437[true]".into());
    let changed = Answer::error(400, 3, "Bad request");
    assert_eq!(client.get().await, changed);
}

#[tokio::test]
async fn a_stream_that_is_handed_over_says_what_it_speaks() {
    let rooms = rooms(Config::default());
    let request = http::Request::get("/socket.io/?EIO=3&transport=websocket");
    let request = request.body(()).expect("a request");
    let mut client = Client::open_with(&rooms, &request).await;
    assert_eq!(client.next().await, "40");
    client.send("2").await;
    assert_eq!(client.next().await, "3");
}
