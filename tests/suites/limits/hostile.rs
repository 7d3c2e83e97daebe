//! Nonsense in bulk: a server refuses all of it, serves on, and holds no more memory than before.

use crate::{Double, MIB, alone, resident, serve};
use futures_util::{SinkExt, StreamExt};
use rooms_layer::{Config, prelude::*};
use rooms_tests::{client::Client, server};
use std::net::SocketAddr;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        protocol::frame::{
            Frame, FrameHeader,
            coding::{Control, Data, OpCode},
        },
    },
};

/// What a client may send wrong on a WebSocket, after it has joined `/`.
fn packets() -> Vec<Vec<Message>> {
    let text = |text: &str| vec![Message::text(text.to_owned())];
    let deep = format!("42[\"double\",{}1{}]", "[".repeat(200), "]".repeat(200));
    let many = format!("42[\"double\"{}]", ",1".repeat(1_001));
    let long = format!("42[\"{}\"]", "n".repeat(1_025));
    let digits = format!("42{}[\"double\"]", "9".repeat(100_000));
    let count = format!("45{}-[\"double\"]", "9".repeat(100_000));
    let mut packets: Vec<_> = [
        // Engine.IO: what is no packet, and pings, which are the server's to send.
        "",
        "7",
        "x",
        "{}",
        "2",
        "2probe",
        "b!",
        "bAQID",
        // The table of what Node's decoder closes on.
        "4",
        "48",
        "4x",
        "47{}",
        "4 ",
        "42-1[\"a\"]",
        "42a,[\"x\"]",
        "42abc[\"x\"]",
        "42 [\"a\"]",
        "42[]",
        "42{}",
        "42[null]",
        "42[\"a\"",
        "42[true]",
        "42[{}]",
        "42[[]]",
        "430{}",
        "43{}",
        "41{}",
        "41[]",
        "40",
        "40{}",
        "40[1]",
        "40null",
        "40\"x\"",
        "44",
        "44{\"message\":\"no\"}",
        "42[\"a\",]",
        "42[\"a\" 1]",
        "42\"a\"",
        "42/side,[\"a\"]",
        "42/side,",
        "43/side,1[]",
        "41/side,",
        "42123456789012345678901[\"a\"]",
        // Reserved names.
        "42[\"connect\"]",
        "42[\"connect_error\"]",
        "42[\"disconnect\"]",
        "42[\"disconnecting\"]",
        "42[\"newListener\"]",
        "42[\"removeListener\"]",
        "42[\"\\u0063onnect\"]",
        // Attachments: how many there are.
        "45[\"a\"]",
        "45-[\"a\"]",
        "450-[\"a\"]",
        "460-[]",
        "45-1-[\"a\"]",
        "451.5-[\"a\"]",
        "451e0-[\"a\"]",
        "45 1-[\"a\"]",
        "4511-[\"a\"]",
        "45x-[\"a\"]",
        "45",
        "46",
        "451",
        "45999999999999999999-[\"a\"]",
        // Ceilings.
        &deep,
        &many,
        &long,
        &digits,
        &count,
    ]
    .into_iter()
    .map(text)
    .collect();
    // Attachments: which they are.
    for placeholder in [
        "-1",
        "1",
        "0.5",
        "\"0\"",
        "null",
        "{}",
        "99999999999999999999",
    ] {
        let packet = format!(r#"451-["a",{{"_placeholder":true,"num":{placeholder}}}]"#);
        packets.push(vec![Message::text(packet), Message::binary(vec![1])]);
    }
    let whole = r#"451-["a",{"_placeholder":true,"num":0}]"#;
    let twice = r#"451-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    packets.push(vec![Message::text(twice), Message::binary(vec![1])]);
    packets.push(vec![Message::binary(vec![1])]);
    packets.push(vec![
        Message::text(whole),
        Message::text("42[\"double\",1]"),
    ]);
    // Frames.
    let frame = |payload: &[u8], opcode: OpCode, is_final: bool| {
        let header = FrameHeader {
            is_final,
            opcode,
            ..FrameHeader::default()
        };
        Message::Frame(Frame::from_payload(header, payload.to_vec().into()))
    };
    let data = OpCode::Data;
    packets.extend([
        vec![frame(b"42", data(Data::Continue), true)],
        vec![
            frame(b"4", data(Data::Text), false),
            frame(b"4", data(Data::Text), true),
        ],
        vec![frame(&[b'4', 0xff, 0xfe], data(Data::Text), true)],
        vec![frame(b"4", data(Data::Reserved(3)), true)],
        vec![frame(b"", OpCode::Control(Control::Reserved(11)), true)],
        vec![frame(&[0; 126], OpCode::Control(Control::Ping), true)],
        vec![frame(b"", OpCode::Control(Control::Ping), false)],
        vec![frame(&[3], OpCode::Control(Control::Close), true)],
        vec![frame(&[3, 0xed], OpCode::Control(Control::Close), true)],
        vec![frame(&[b'4'; 100_001], data(Data::Text), true)],
    ]);
    packets
}

/// Requests that open nothing, with the statuses that answer them.
fn handshakes() -> Vec<(String, &'static [u16])> {
    let get = |query: &str| {
        format!("GET /socket.io/?{query} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n")
    };
    let upgrade = |query: &str, headers: &str| {
        format!(
            "GET /socket.io/?{query} HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\n{headers}"
        )
    };
    const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const VERSION: &str = "sec-websocket-version: 13\r\n";
    let websocket = "EIO=4&transport=websocket";
    let mut all: Vec<(String, &'static [u16])> = Vec::new();
    // The transport comes first.
    for transport in [
        "",
        "transport=",
        "transport=webtransport",
        "transport=__proto__",
        "transport=constructor",
        "transport=POLLING",
        "transport=polling&transport=x",
        "transport=%00",
        "transport=polling%20",
        "transport=jsonp",
        "transport=toString",
    ] {
        for eio in ["EIO=4", "EIO=3", ""] {
            all.push((get(&format!("{eio}&{transport}")), &[400]));
        }
    }
    for eio in [
        "",
        "EIO=",
        "EIO=3",
        "EIO=5",
        "EIO=abc",
        "EIO=4&EIO=3",
        "EIO=%34x",
        "EIO=04",
        "EIO=__proto__",
    ] {
        all.push((get(&format!("{eio}&transport=polling")), &[400]));
    }
    for sid in [
        "x",
        "__proto__",
        "constructor",
        "..%2f..%2f",
        "%00",
        "AAAAAAAAAAAAAAAAAAAA",
        "%F0%9F%98%80",
        "%",
        "%zz",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            let head = get(&format!("EIO=4&transport=polling&sid={sid}"));
            all.push((head.replacen("GET", method, 1), &[400]));
        }
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let head = get("EIO=4&transport=polling");
        all.push((head.replacen("GET", method, 1), &[400]));
    }
    for headers in [
        String::new(),
        "upgrade: websocket\r\n".to_owned(),
        format!("upgrade: websocket\r\n{VERSION}"),
        format!("upgrade: h2c\r\n{VERSION}{KEY}"),
        format!("upgrade: websocket\r\n{VERSION}sec-websocket-key: short\r\n"),
        format!(
            "upgrade: websocket\r\n{VERSION}sec-websocket-key: {}\r\n",
            "x".repeat(5_000)
        ),
        format!("upgrade: websocket\r\nsec-websocket-version: 8\r\n{KEY}"),
        format!("upgrade: websocket\r\nsec-websocket-version: x\r\n{KEY}"),
        format!("upgrade: websocket\r\n{VERSION}{KEY}origin: https://evil.example\r\n"),
        format!("upgrade: websocket\r\n{VERSION}{KEY}origin: null\r\n"),
        format!("upgrade: websocket\r\n{VERSION}{KEY}origin: http://test.evil.example\r\n"),
    ] {
        all.push((upgrade(websocket, &headers), &[400, 403, 426]));
    }
    all.push((
        upgrade(
            "EIO=3&transport=websocket",
            &format!("upgrade: websocket\r\n{VERSION}{KEY}"),
        ),
        &[400],
    ));
    let sid = "EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA";
    all.push((
        upgrade(sid, &format!("upgrade: websocket\r\n{VERSION}{KEY}")),
        &[400],
    ));
    all
}

async fn refused(address: SocketAddr, head: String, statuses: &[u16]) {
    // `connection: close` for the upgrades too: hyper closes behind a refusal that says so.
    let request = format!(
        "{}content-length: 0\r\n\r\n",
        head.replace("connection: upgrade", "connection: upgrade, close")
    );
    let answer = server::exchange(address, &request).await;
    let status: u16 = answer[9..12].parse().expect("a status");
    assert!(statuses.contains(&status), "{request:?} got {answer:?}");
}

/// Opens a connection, joins `/`, sends packets, and waits until the server has ended the connection.
async fn ended(address: SocketAddr, packets: Vec<Message>) {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (mut client, _) = client_async(url, stream).await.expect("a handshake");
    let described = format!("{packets:.200?}");
    let joined = async |client: &mut WebSocketStream<TcpStream>| {
        client
            .send(Message::text("40"))
            .await
            .expect("an open connection");
        for _ in 0..2 {
            client
                .next()
                .await
                .expect("the open packet, the reply")
                .expect("a frame");
        }
    };
    joined(&mut client).await;
    for packet in packets {
        // The server may have had enough.
        if client.send(packet).await.is_err() {
            break;
        }
    }
    let end = async { while let Some(Ok(_)) = client.next().await {} };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), end).await;
    assert!(ended.is_ok(), "not ended by {described}");
}

/// Runs tasks, a few at a time.
async fn all(tasks: impl Iterator<Item = impl Future<Output = ()> + Send + 'static>) -> usize {
    let mut running = JoinSet::new();
    let mut count = 0;
    for task in tasks {
        if running.len() == 50 {
            running
                .join_next()
                .await
                .expect("one of fifty")
                .expect("no panic");
        }
        running.spawn(task);
        count += 1;
    }
    running.join_all().await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_bears_nonsense_in_bulk() {
    let _turn = alone().await;
    let main = Main::serve(()).on(async |_: Socket<Main>, Double(n): Double| n.wrapping_mul(2));
    let rooms = RoomsLayer::new()
        .config(Config::default().max_payload(100_000))
        .namespace(main);
    let address = serve(&rooms).await;
    let mut bystander = Client::connect(address).await;
    // The first time is for what is allocated once.
    let mut before = 0;
    for round in 0..2 {
        let requests = handshakes().into_iter();
        let refusals = requests.map(|(head, statuses)| refused(address, head, statuses));
        let handshakes = all(refusals).await;
        assert!(handshakes >= 100, "{handshakes}");

        let sessions = packets().into_iter().cycle().take(1_000);
        all(sessions.map(|packets| ended(address, packets))).await;

        let doubled = bystander.ask(&format!("[\"double\",{round}]")).await;
        assert_eq!(doubled, format!("[{}]", round * 2));
        let mut newcomer = Client::connect(address).await;
        assert_eq!(newcomer.ask("[\"double\",4]").await, "[8]");
        newcomer.leave().await;
        while rooms.connections() > 1 {
            tokio::task::yield_now().await;
        }
        let stats = rooms.stats();
        assert_eq!((stats.polling, stats.websocket), (0, 1), "{stats:?}");
        let piled_up = stats.queued_packets + stats.queued_bytes + stats.held_bytes + stats.rooms;
        assert_eq!((stats.sockets, piled_up), (1, 0), "{stats:?}");
        if round == 0 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 * MIB, "{grown} bytes more");
    let stats = rooms.stats();
    for cause in ["bad_frame", "bad_packet", "protocol_violation"] {
        let closed = stats.closed.get(cause);
        assert!(closed.is_some_and(|closed| *closed > 100), "{stats:?}");
    }
    for reason in [
        "transport_unknown",
        "session_elsewhere",
        "bad_method",
        "bad_upgrade",
        "foreign_origin",
        "unsupported_protocol",
    ] {
        assert!(stats.refused.contains_key(reason), "{reason}: {stats:?}");
    }
}
