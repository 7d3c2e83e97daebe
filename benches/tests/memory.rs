//! What a connection, a room and a membership hold on the heap, to the byte: the table of `docs/PERFORMANCE.md`.
//!
//! A server of ours runs in this process with the standard configuration; its clients are sockets without a byte of heap.
//! The allocator counts what was asked for, not what the system's allocator makes of it. One test, since there is one heap.

use rooms_layer::{SocketId, prelude::*};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// As many of each. Tables that grow by doubling are about 70 % full of them.
const COUNT: usize = 1_400;
/// How many of them are sent a burst.
const BURST_CLIENTS: usize = 200;
const BURST_EVENTS: usize = 1_000;
const BURST_BYTES: usize = 1_024;

#[derive(Room)]
enum Room {
    All,
    Own(u32),
    Burst,
}

#[derive(Event)]
#[event(server, to(Room::Burst))]
struct News<'a>(&'a str);

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room), server(News<'_>))]
struct App;

/// A row of the table: what was measured, and what it may be.
struct Row {
    what: &'static str,
    bytes: f64,
    at_most: f64,
}

#[test]
fn what_is_held_on_the_heap() {
    rooms_bench::load::raise_descriptor_limit();
    let _profiler = dhat::Profiler::builder().testing().build();
    let server = Server::start();
    let mut rows = Vec::new();
    let mut row = |what, bytes: f64, at_most| {
        rows.push(Row {
            what,
            bytes,
            at_most,
        })
    };

    // What exists once, and what grows in steps, is there before anything is counted.
    let warm: Vec<TcpStream> = (0..64).map(|_| server.websocket()).collect();
    drop(warm);
    server.wait_for(0);

    let empty = settled();
    let mut clients: Vec<TcpStream> = Vec::with_capacity(COUNT);
    clients.extend((0..COUNT).map(|_| server.websocket()));
    server.wait_for(COUNT);
    let idle = settled();
    let each = |bytes: isize| bytes as f64 / COUNT as f64;
    row("idle connection, WebSocket", each(idle - empty), 2_304.0);

    let ids = server.sockets();
    assert_eq!(ids.len(), COUNT);
    for (n, id) in ids.iter().enumerate() {
        drop(server.io.to(id).join(Room::own(n as u32)));
    }
    let with_rooms = settled();
    row("room with one member", each(with_rooms - idle), 224.0);
    for id in &ids {
        drop(server.io.to(id).join(Room::all()));
    }
    let with_memberships = settled();
    row(
        "membership of a large room",
        each(with_memberships - with_rooms),
        40.0,
    );
    for (n, id) in ids.iter().enumerate() {
        drop(server.io.to(id).leave(Room::own(n as u32)));
        drop(server.io.to(id).leave(Room::all()));
    }
    let left = settled();
    row(
        "what stays of both when they are left",
        each(left - idle),
        128.0,
    );

    // Nobody reads until all is emitted, so that the queues fill once the kernel has taken its share.
    for id in &ids[..BURST_CLIENTS] {
        drop(server.io.to(id).join(Room::burst()));
    }
    let before = settled();
    let payload = "x".repeat(BURST_BYTES);
    for _ in 0..BURST_EVENTS {
        server
            .io
            .to(Room::burst())
            .emit(News(&payload))
            .expect("an open server");
    }
    let queued = held() - before;
    assert!(
        queued > (BURST_BYTES * BURST_EVENTS / 4) as isize,
        "only {queued} bytes were queued"
    );
    let frame = r#"42["news",""]"#.len() + BURST_BYTES + 4;
    drain(&mut clients, frame * BURST_EVENTS * BURST_CLIENTS);
    let after = settled();
    row(
        "what stays of a burst, per client",
        (after - before) as f64 / BURST_CLIENTS as f64,
        64.0,
    );

    drop(clients);
    server.wait_for(0);
    drop(ids);
    let gone = settled();
    row(
        "what stays of a connection that is gone",
        each(gone - empty),
        256.0,
    );

    let before = settled();
    let mut http = server.connect();
    (0..COUNT).for_each(|_| poll_into_the_namespace(&mut http));
    server.wait_for(COUNT);
    let polling = settled();
    row(
        "idle session, long-polling",
        each(polling - before),
        1_664.0,
    );

    for Row {
        what,
        bytes,
        at_most,
    } in &rows
    {
        println!("{what:42} {bytes:8.0} bytes, at most {at_most}");
    }
    for Row {
        what,
        bytes,
        at_most,
    } in &rows
    {
        assert!(bytes <= at_most, "{what}: {bytes:.0} bytes");
    }
    // A connection that costs nothing was not measured.
    assert!(rows[0].bytes > 500.0 && rows[1].bytes > 40.0 && rows[2].bytes > 10.0);
}

struct Server {
    address: SocketAddr,
    rooms: RoomsLayer,
    io: Io<App>,
    runtime: runtime::Runtime,
}

impl Server {
    fn start() -> Server {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let rooms = RoomsLayer::new().namespace(App::serve(()));
        let io = rooms.io::<App>();
        let app = axum::Router::new().layer(rooms.clone());
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, app).await });
        Server {
            address,
            rooms,
            io,
            runtime,
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("a connection")
    }

    /// A client in the namespace, which has read all that it was sent.
    fn websocket(&self) -> TcpStream {
        let mut stream = self.connect();
        stream
            .write_all(
                b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n\
                Upgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            )
            .expect("a connection");
        let mut frame = Vec::new();
        rooms_bench::load::masked_text(&mut frame, b"40");
        stream.write_all(&frame).expect("a connection");
        let mut buf = [0; 1024];
        let mut have = 0;
        // The last thing that is said is the answer to it.
        while !(buf[..have].ends_with(b"\"}") && have > 12 && find(&buf[..have], b"40{")) {
            have += stream.read(&mut buf[have..]).expect("a handshake");
        }
        stream
    }

    fn wait_for(&self, connections: usize) {
        let began = Instant::now();
        while self.rooms.connections() != connections {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{} connections",
                self.rooms.connections()
            );
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn sockets(&self) -> Vec<SocketId> {
        self.runtime.block_on(self.io.sockets())
    }
}

fn find(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// One more session, over a connection that serves all of them.
fn poll_into_the_namespace(http: &mut TcpStream) {
    let head = "/socket.io/?EIO=4&transport=polling";
    let open = exchange(
        http,
        &format!("GET {head} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    let sid = open
        .split(r#""sid":""#)
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let sid = sid.expect("a session");
    let post = format!(
        "POST {head}&sid={sid} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n40"
    );
    assert!(exchange(http, &post).ends_with("ok"));
    let joined = exchange(
        http,
        &format!("GET {head}&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    assert!(joined.contains(r#"40{"sid""#), "{joined}");
}

fn exchange(http: &mut TcpStream, request: &str) -> String {
    http.write_all(request.as_bytes()).expect("a connection");
    let mut response = Vec::new();
    loop {
        let mut part = [0; 1024];
        let read = http.read(&mut part).expect("a response");
        assert!(read > 0, "the end of the connection");
        response.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&response);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
    }
}

/// Reads so many bytes from all clients together, whoever of them gets them.
fn drain(clients: &mut [TcpStream], wanted: usize) {
    let mut buf = [0; 64 * 1024];
    let mut got = 0;
    for client in clients.iter() {
        client.set_nonblocking(true).expect("a socket");
    }
    let began = Instant::now();
    while got < wanted {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{got} of {wanted} bytes"
        );
        for client in clients.iter_mut() {
            while let Ok(read @ 1..) = client.read(&mut buf) {
                got += read;
            }
        }
    }
    assert_eq!(got, wanted);
}

fn held() -> isize {
    dhat::HeapStats::get().curr_bytes as isize
}

/// What is held once nothing changes any more: tasks that end on another thread have to have ended.
fn settled() -> isize {
    let (mut last, mut since) = (held(), Instant::now());
    while since.elapsed() < Duration::from_millis(200) {
        thread::sleep(Duration::from_millis(5));
        let now = held();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}
