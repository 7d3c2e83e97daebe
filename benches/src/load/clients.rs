//! One epoll loop that carries every client from TCP connect through the HTTP upgrade, the Engine.IO open and the
//! namespace into the mode's hands.

use super::{
    Client, Error, Options, State,
    frame::{self, Frame},
};
use crate::clock::{SECOND, now_ns};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    fd::OwnedFd,
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SocketFlags, SocketType, bind, connect, recv, socket_with,
        sockopt::set_tcp_nodelay,
    },
};
use std::{
    borrow::Cow,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

/// Key and accept value of the example in RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Room for one read behind the start of a split frame.
const READ: usize = 64 * 1024;

/// Longest response head taken from a server.
const MAX_HEAD: usize = 8 * 1024;

/// What a mode does with its clients.
pub trait Handler {
    /// The client is in: in the namespace, and past its entry packet if it has one.
    fn ready(&mut self, _client: &mut Client) {}
    /// A Socket.IO packet that is not part of the handshake, from its type digit on: `42[...]`, `43<id>[...]`.
    fn message(&mut self, client: &mut Client, packet: &[u8]);
}

/// The handler of phases in which no message counts.
#[derive(Debug)]
pub struct Ignore;

impl Handler for Ignore {
    fn message(&mut self, _client: &mut Client, _packet: &[u8]) {}
}

/// The packet that the nth client sends once the namespace has let it in; it counts as ready when ack 0 answers it.
pub type Entry = fn(usize) -> Option<Cow<'static, [u8]>>;

/// An [`Entry`] into the room that all servers emit to.
pub fn join_bench(_client: usize) -> Option<Cow<'static, [u8]>> {
    Some(Cow::Borrowed(br#"420["join"]"#))
}

/// An [`Entry`] that asks for nothing.
pub fn stay_outside(_client: usize) -> Option<Cow<'static, [u8]>> {
    None
}

/// All clients of a run.
pub struct Clients {
    /// The clients, in order of their opening; ended ones keep their place.
    pub all: Vec<Client>,
    /// How they stand.
    pub tally: Tally,
    epoll: OwnedFd,
    events: Vec<Event>,
    server: SocketAddrV4,
    request: Vec<u8>,
    entry: Entry,
    window: usize,
    stall: u64,
    sources: u32,
    next_source: u32,
    buf: Vec<u8>,
}

/// How many clients are where.
#[derive(Debug, Default)]
pub struct Tally {
    /// Between connect and ready.
    pub opening: usize,
    /// In.
    pub ready: usize,
    /// Ended, for any reason.
    pub closed: usize,
    /// Ended although nobody asked them to.
    pub failed: usize,
    /// Why the first of these failed.
    pub first_failure: Option<String>,
}

impl Clients {
    /// Clients for a run against `options.server`, none of them open yet.
    ///
    /// # Errors
    /// When the system gives no epoll instance.
    pub fn new(options: &Options, entry: Entry) -> Result<Clients, Error> {
        let Options { server, path, .. } = options;
        let query = if path.contains('?') { '&' } else { '?' };
        let request = format!(
            "GET {path}{query}EIO=4&transport=websocket HTTP/1.1\r\nHost: {server}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        Ok(Clients {
            all: Vec::new(),
            tally: Tally::default(),
            epoll: epoll::create(CreateFlags::CLOEXEC).map_err(std::io::Error::from)?,
            events: Vec::with_capacity(512),
            server: *server,
            request: request.into_bytes(),
            entry,
            window: options.window.max(1),
            stall: options.stall,
            sources: u32::from(options.sources),
            next_source: 0,
            buf: vec![0; 4 * READ],
        })
    }

    /// Opens `count` clients, a window of them at a time, and returns when all are ready.
    ///
    /// # Errors
    /// When one fails, or none gets any further for the stall time.
    pub fn open_all(&mut self, count: usize) -> Result<(), Error> {
        let (mut best, mut since) = (0, now_ns());
        while self.tally.ready < count {
            while self.all.len() < count && self.tally.opening < self.window {
                self.open_another();
            }
            self.poll(&mut Ignore);
            if self.tally.ready > best {
                (best, since) = (self.tally.ready, now_ns());
            }
            if self.tally.failed > 0 || now_ns() - since > self.stall * SECOND {
                let failure = self.tally.first_failure.take();
                return Err(Error::NotReady {
                    ready: self.tally.ready,
                    wanted: count,
                    why: failure.unwrap_or_else(|| format!("no answer for {} s", self.stall)),
                });
            }
        }
        Ok(())
    }

    /// Keeps `count` clients open: new ones at first, later others in the place of those that ended.
    pub fn keep_open(&mut self, count: usize) {
        while self.all.len() < count {
            self.open_another();
        }
        for i in 0..self.all.len() {
            if self.all[i].state == State::Free {
                self.open(i);
            }
        }
    }

    /// Handles what has arrived, waiting for it for up to 100 ms.
    pub fn poll(&mut self, handler: &mut impl Handler) {
        const PATIENCE: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        // An interrupted wait has found nothing, and the caller comes back anyway.
        let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&PATIENCE));
        for event in &events {
            let i = event.data.u64() as usize;
            if let Err(why) = self.progress(i, event.flags, handler) {
                self.end(i, why);
            }
        }
        self.events = events;
    }

    /// Polls for `time`.
    pub fn poll_for(&mut self, handler: &mut impl Handler, time: Duration) {
        let end = now_ns() + time.as_nanos() as u64;
        while now_ns() < end {
            self.poll(handler);
        }
    }

    /// Says whether every client that got in is still in or left on purpose.
    ///
    /// # Errors
    /// When one was lost.
    pub fn check(&self) -> Result<(), Error> {
        match &self.tally.first_failure {
            None => Ok(()),
            Some(why) => Err(Error::Failed {
                failed: self.tally.failed,
                why: why.clone(),
            }),
        }
    }

    fn open_another(&mut self) {
        self.all.push(Client::free());
        self.open(self.all.len() - 1);
    }

    fn open(&mut self, i: usize) {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let opened = self.connect().and_then(|socket| {
            epoll::add(&self.epoll, &socket, EventData::new_u64(i as u64), flags)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => {
                self.all[i] = Client {
                    socket: Some(socket),
                    state: State::Connecting,
                    ..Client::free()
                };
                self.tally.opening += 1;
            }
            Err(e) => {
                self.tally.failed += 1;
                self.tally.closed += 1;
                self.tally
                    .first_failure
                    .get_or_insert_with(|| format!("failed to connect: {e}"));
            }
        }
    }

    fn connect(&mut self) -> Result<OwnedFd, Errno> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        set_tcp_nodelay(&socket, true)?;
        // One address has only some 28,000 local ports.
        let source = Ipv4Addr::from_bits(0x7f00_0002 + self.next_source % self.sources);
        self.next_source = self.next_source.wrapping_add(1);
        bind(&socket, &SocketAddrV4::new(source, 0))?;
        match connect(&socket, &self.server) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(e) => Err(e),
        }
    }

    fn end(&mut self, i: usize, why: String) {
        let client = std::mem::replace(&mut self.all[i], Client::free());
        self.tally.closed += 1;
        match client.state {
            State::Closing => return,
            State::Ready => self.tally.ready -= 1,
            _ => self.tally.opening -= 1,
        }
        self.tally.failed += 1;
        self.tally
            .first_failure
            .get_or_insert_with(|| format!("{why} ({:?})", client.state));
    }

    /// Sends and receives for one client; an error ends its connection.
    fn progress(
        &mut self,
        i: usize,
        flags: EventFlags,
        handler: &mut impl Handler,
    ) -> Result<(), String> {
        let client = &mut self.all[i];
        if client.state == State::Connecting
            && flags.contains(EventFlags::OUT)
            && !flags.contains(EventFlags::ERR)
        {
            client.state = State::Upgrading;
            client.unsent.extend_from_slice(&self.request);
        }
        client.flush();
        let readable = EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        if !flags.intersects(readable) {
            return Ok(());
        }
        while let Some(socket) = &client.socket {
            // The start of a split frame goes in front; mostly there is none.
            let kept = client.partial.len();
            if self.buf.len() < kept + READ {
                self.buf.resize(2 * kept + READ, 0);
            }
            self.buf[..kept].copy_from_slice(&client.partial);
            let room = self.buf.len() - kept;
            let read = match recv(socket, &mut self.buf[kept..], RecvFlags::empty()) {
                Ok((0, _)) => return Err("end of stream".to_owned()),
                Ok((read, _)) => read,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.to_string()),
            };
            let have = kept + read;
            let mut taker = Taker {
                index: i,
                entry: self.entry,
                tally: &mut self.tally,
            };
            let used = taker.take(client, &self.buf[..have], handler)?;
            if used == have && client.partial.capacity() > READ / 4 {
                client.partial = Vec::new();
            }
            client.partial.clear();
            client.partial.extend_from_slice(&self.buf[used..have]);
            // A short read has emptied the socket, and the next byte raises a new edge; after a half-close none would.
            if read < room && !flags.contains(EventFlags::RDHUP) {
                break;
            }
        }
        Ok(())
    }
}

/// Takes whole frames out of what one client has received.
struct Taker<'a> {
    index: usize,
    entry: Entry,
    tally: &'a mut Tally,
}

impl Taker<'_> {
    /// Returns how many bytes of `buf` it used.
    fn take(
        &mut self,
        client: &mut Client,
        buf: &[u8],
        handler: &mut impl Handler,
    ) -> Result<usize, String> {
        let mut at = 0;
        if client.state == State::Upgrading {
            match response_head(buf)? {
                Some(end) => at = end,
                None => return Ok(0),
            }
            client.state = State::Opening;
        }
        while let Some(Frame {
            opcode,
            payload,
            len,
        }) = frame::parse(&buf[at..]).map_err(|e| e.to_string())?
        {
            at += len;
            match opcode {
                frame::TEXT => self.message(client, payload, handler)?,
                frame::PING => client.send_frame(frame::PONG, payload),
                frame::CLOSE if client.state != State::Closing => {
                    return Err("closed by the server".to_owned());
                }
                _ => {}
            }
        }
        Ok(at)
    }

    #[inline]
    fn message(
        &mut self,
        client: &mut Client,
        text: &[u8],
        handler: &mut impl Handler,
    ) -> Result<(), String> {
        match client.state {
            State::Ready if text.first() == Some(&b'4') => handler.message(client, text),
            State::Closing => {}
            _ if text == b"2" => client.send(b"3"),
            State::Opening if text.starts_with(b"0{") => {
                client.send(b"40");
                client.state = State::Namespace;
            }
            State::Namespace if text.starts_with(b"40{") => match (self.entry)(self.index) {
                Some(packet) => {
                    client.send(&packet);
                    client.state = State::Joining;
                }
                None => self.ready(client, handler),
            },
            State::Joining if text.starts_with(b"430[") => self.ready(client, handler),
            // Events may reach a client that is in the room before the answer to its join does.
            State::Joining if text.starts_with(b"42[") => {}
            state => {
                let start = String::from_utf8_lossy(&text[..text.len().min(80)]);
                return Err(format!("unexpected {start:?} ({state:?})"));
            }
        }
        Ok(())
    }

    fn ready(&mut self, client: &mut Client, handler: &mut impl Handler) {
        client.state = State::Ready;
        self.tally.opening -= 1;
        handler.ready(client);
        // The handler may have closed it at once.
        if client.state == State::Ready {
            self.tally.ready += 1;
        }
    }
}

/// The length of the response head at the start of `buf`; `None` while it is not whole.
fn response_head(buf: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = buf.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buf.len() > MAX_HEAD {
            Err("endless response".to_owned())
        } else {
            Ok(None)
        };
    };
    let head = String::from_utf8_lossy(&buf[..end]);
    if head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
        Ok(Some(end + 4))
    } else {
        Err(format!(
            "no upgrade: {}",
            head.lines().next().unwrap_or_default()
        ))
    }
}
