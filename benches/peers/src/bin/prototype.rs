//! The lean server that reached the floor: tokio and hyper, shared encoded frames, no buffer per client.
//!
//! It has neither heartbeats, ids, acknowledgements of its own nor namespaces. `--write` chooses who writes:
//! - `flusher`: a broadcast only queues; one task, woken once, does one vectored write per client with something queued;
//! - `direct`: a broadcast writes to each client whose queue is empty itself.

use arrayvec::ArrayVec;
use bytes::Bytes;
use clap::{Parser, ValueEnum};
use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use rooms_bench_peers::{
    Pace,
    by_hand::{
        CLOSE, Command, MAX_FRAME, OPEN, TEXT, accept_key, client_frame, event, frame, stamped,
    },
    listener, runtime,
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    convert::Infallible,
    io::{self, ErrorKind, IoSlice},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::{net::TcpStream, sync::Notify};

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    port: u16,
    #[arg(long)]
    write: Write,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Write {
    Flusher,
    Direct,
}

/// Frames that one vectored write takes at most.
const FRAMES: usize = 256;

thread_local! {
    /// Where a worker reads into; a client keeps only what is left of a split frame.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 4 * MAX_FRAME]);
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    // In a task, since `block_on` would run the server outside the one worker.
    runtime()?.block_on(async { tokio::spawn(serve(cli)).await.map_err(io::Error::other)? })
}

async fn serve(Cli { port, write }: Cli) -> io::Result<()> {
    let listener = listener(port).await?;
    let hub = Arc::new(Hub {
        write,
        room: Mutex::default(),
        dirty: Mutex::default(),
        wake: Notify::new(),
    });
    tokio::spawn(flush_all(hub.clone()));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        stream.set_nodelay(true)?;
        tokio::spawn(upgrade(stream, hub.clone()));
    }
}

struct Hub {
    write: Write,
    room: Mutex<Vec<Arc<Client>>>,
    /// Clients with something queued, for the flusher.
    dirty: Mutex<Vec<Arc<Client>>>,
    wake: Notify,
}

struct Client {
    stream: TcpStream,
    queue: Mutex<Queue>,
    /// The socket was full: the client's own task goes on when it no longer is.
    blocked: AtomicBool,
    wake: Notify,
    /// Where in the room it is.
    seat: Mutex<Option<usize>>,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    /// How much of the first frame has left.
    sent: usize,
    /// It is on the flusher's list.
    dirty: bool,
}

async fn flush_all(hub: Arc<Hub>) {
    loop {
        hub.wake.notified().await;
        for client in std::mem::take(&mut *lock(&hub.dirty)) {
            client.flush();
        }
    }
}

impl Hub {
    fn emit(&self, seq: u32, payload: &str) {
        let text = event(seq, payload);
        let mut bytes = Vec::with_capacity(text.len() + 4);
        frame(&mut bytes, TEXT, text.as_bytes());
        let bytes = Bytes::from(bytes);
        for client in lock(&self.room).iter() {
            match self.write {
                Write::Flusher => self.queue(client, &bytes),
                Write::Direct => client.write(&bytes),
            }
        }
    }

    fn queue(&self, client: &Arc<Client>, frame: &Bytes) {
        let mut queue = lock(&client.queue);
        queue.frames.push_back(frame.clone());
        if !queue.dirty {
            queue.dirty = true;
            let mut dirty = lock(&self.dirty);
            dirty.push(client.clone());
            if dirty.len() == 1 {
                self.wake.notify_one();
            }
        }
    }

    fn join(&self, client: &Arc<Client>) {
        let mut room = lock(&self.room);
        *lock(&client.seat) = Some(room.len());
        room.push(client.clone());
    }

    fn leave(&self, client: &Client) {
        let mut room = lock(&self.room);
        let Some(seat) = lock(&client.seat).take() else {
            return;
        };
        room.swap_remove(seat);
        if let Some(moved) = room.get(seat) {
            *lock(&moved.seat) = Some(seat);
        }
    }
}

impl Client {
    /// Writes one frame at once, or queues what does not fit.
    fn write(&self, frame: &Bytes) {
        let mut queue = lock(&self.queue);
        if queue.frames.is_empty() {
            let sent = self.stream.try_write(frame).unwrap_or(0);
            if sent == frame.len() {
                return;
            }
            queue.sent = sent;
        }
        queue.frames.push_back(frame.clone());
        self.block();
    }

    /// Writes what is queued, many frames with one call.
    fn flush(&self) {
        let mut queue = lock(&self.queue);
        queue.dirty = false;
        while !queue.frames.is_empty() {
            match self.write_queued(&queue) {
                Ok(sent) => queue.advance(sent),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return self.block(),
                // The client's task sees the same error and ends.
                Err(_) => *queue = Queue::default(),
            }
        }
        if queue.frames.capacity() > 8 {
            queue.frames = VecDeque::new();
        }
        self.blocked.store(false, Relaxed);
    }

    fn write_queued(&self, queue: &Queue) -> io::Result<usize> {
        let mut frames = queue.frames.iter().take(FRAMES);
        let Some(first) = frames.next() else {
            return Ok(0);
        };
        let first = &first[queue.sent..];
        if queue.frames.len() == 1 {
            return self.stream.try_write(first);
        }
        let mut slices = ArrayVec::<IoSlice<'_>, FRAMES>::new();
        slices.push(IoSlice::new(first));
        slices.extend(frames.map(|frame| IoSlice::new(frame)));
        self.stream.try_write_vectored(&slices)
    }

    fn block(&self) {
        if !self.blocked.swap(true, Relaxed) {
            self.wake.notify_one();
        }
    }
}

impl Queue {
    fn advance(&mut self, sent: usize) {
        self.sent += sent;
        while let Some(frame) = self.frames.front() {
            if self.sent < frame.len() {
                return;
            }
            self.sent -= frame.len();
            self.frames.pop_front();
        }
    }
}

/// Runs a client until it goes; `stash` is what came with the request.
async fn run(stream: TcpStream, hub: Arc<Hub>, mut stash: Vec<u8>) {
    let client = Arc::new(Client {
        stream,
        queue: Mutex::default(),
        blocked: AtomicBool::new(false),
        wake: Notify::new(),
        seat: Mutex::new(None),
    });
    let mut open = Vec::new();
    frame(&mut open, TEXT, OPEN.as_bytes());
    client.write(&open.into());
    loop {
        tokio::select! {
            ready = client.stream.readable() => {
                if ready.is_err() || read(&client, &hub, &mut stash).is_err() {
                    break;
                }
            }
            _ = client.stream.writable(), if client.blocked.load(Relaxed) => client.flush(),
            () = client.wake.notified() => {}
        }
    }
    hub.leave(&client);
}

/// The connection is over.
struct Over;

/// Reads and answers what has arrived.
fn read(client: &Arc<Client>, hub: &Arc<Hub>, stash: &mut Vec<u8>) -> Result<(), Over> {
    BUFFER.with_borrow_mut(|buffer| {
        loop {
            let kept = stash.len();
            buffer[..kept].copy_from_slice(stash);
            let have = match client.stream.try_read(&mut buffer[kept..]) {
                Ok(0) => return Err(Over),
                Ok(read) => kept + read,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Over),
            };
            let mut input = &mut buffer[..have];
            let mut answers = Vec::new();
            let mut over = Ok(());
            while let Some(found) = client_frame(input).map_err(|_| Over)? {
                let (taken, rest) = input.split_at_mut(found.len);
                let payload = &taken[found.payload];
                match found.opcode {
                    TEXT => answer(payload, client, hub, &mut answers),
                    CLOSE => {
                        frame(&mut answers, CLOSE, payload);
                        over = Err(Over);
                    }
                    _ => {}
                }
                input = rest;
            }
            stash.clear();
            stash.extend_from_slice(input);
            // The answers to one read leave with one write.
            if !answers.is_empty() {
                client.write(&answers.into());
            }
            over?;
        }
    })
}

fn answer(text: &[u8], client: &Arc<Client>, hub: &Arc<Hub>, answers: &mut Vec<u8>) {
    match Command::read(std::str::from_utf8(text).unwrap_or_default()) {
        Command::Reply(reply) => frame(answers, TEXT, reply.as_bytes()),
        Command::Join(reply) => {
            frame(answers, TEXT, reply.as_bytes());
            hub.join(client);
        }
        Command::Blast { events, bytes } => {
            let payload = "x".repeat(bytes);
            for seq in 0..events {
                hub.emit(seq, &payload);
            }
        }
        Command::Pace {
            rate, bytes, secs, ..
        } => {
            let hub = hub.clone();
            tokio::spawn(async move {
                let mut pace = Pace::new(rate, secs);
                while let Some(seq) = pace.next().await {
                    hub.emit(seq, &stamped(bytes));
                }
            });
        }
        Command::Sit(..) | Command::Nothing => {}
    }
}

/// Answers one upgrade request and hands the stream on.
async fn upgrade(stream: TcpStream, hub: Arc<Hub>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let hub = hub.clone();
        async move {
            let key = request
                .headers()
                .get(header::SEC_WEBSOCKET_KEY)
                .and_then(|key| key.to_str().ok());
            let accept = accept_key(key.unwrap_or_default());
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(request).await.ok()?;
                let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
                // Copied here: hyper's read buffer lives as long as anything of it is held.
                let (stream, rest) = (parts.io.into_inner(), parts.read_buf.to_vec());
                drop(parts.read_buf);
                tokio::spawn(run(stream, hub, rest));
                Some(())
            });
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert(
                header::UPGRADE,
                header::HeaderValue::from_static("websocket"),
            );
            headers.insert(
                header::CONNECTION,
                header::HeaderValue::from_static("upgrade"),
            );
            headers.extend(
                accept
                    .try_into()
                    .map(|accept| (header::SEC_WEBSOCKET_ACCEPT, accept)),
            );
            Ok::<_, Infallible>(response)
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that breaks off its request is its own affair.
    connection.with_upgrades().await.ok();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under this lock")
}
