//! One epoll loop that carries every client from TCP connect through the HTTP upgrade, the Engine.IO open and the
//! namespace into the mode's hands.

use super::{
    Client, Error, Options, State,
    stream::{Stream, tls_client, tls_config},
    taker::Taker,
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
        AddressFamily, SocketFlags, SocketType, bind, connect, socket_with,
        sockopt::{set_socket_recv_buffer_size, set_tcp_nodelay},
    },
};
use rustls::ClientConfig;
use std::{
    borrow::Cow,
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};

/// The key of the example in RFC 6455, section 1.3; [`super::taker`] expects its answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Room for one read behind the start of a split frame.
const READ: usize = 64 * 1024;

/// What a mode does with its clients.
pub trait Handler {
    /// The client is in: in the namespace, and past its entry packet if it has one.
    fn ready(&mut self, _client: &mut Client) {}
    /// A Socket.IO packet that is not part of the handshake, from its type digit on: `42[...]`, `43<id>[...]`.
    fn message(&mut self, client: &mut Client, packet: &[u8]);
    /// An attachment of the packet before.
    fn attachment(&mut self, _client: &mut Client, _bytes: &[u8]) {}
    /// What the client asks the namespace with.
    fn hello(&mut self, _client: &Client) -> Cow<'static, [u8]> {
        Cow::Borrowed(b"40")
    }
    /// The namespace's answer, `40{...}`.
    fn welcome(&mut self, _client: &mut Client, _packet: &[u8]) {}
    /// An event that came before the answer to the entry packet.
    fn early(&mut self, _client: &mut Client, _packet: &[u8]) {}
}

/// The handler of phases in which no message counts.
#[derive(Debug)]
pub struct Ignore;

impl Handler for Ignore {
    fn message(&mut self, _client: &mut Client, _packet: &[u8]) {}
}

/// The packet that the nth client sends once the namespace has let it in; it counts as ready when ack 0 answers it.
pub type Entry = Box<dyn Fn(usize) -> Option<Cow<'static, [u8]>>>;

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
    /// Where clients are opened, in turn.
    servers: Vec<SocketAddrV4>,
    request: Vec<u8>,
    /// Path and host of those that poll.
    target: String,
    polling: bool,
    /// What the kernel may hold for each that is opened; `None` is its own choice.
    pub receive_buffer: Option<usize>,
    msgpack: bool,
    tls: Option<Arc<ClientConfig>>,
    /// Who tells the server what to do, and hears nothing.
    conductor: Option<usize>,
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
    /// Ended by the server since they were [stuck](Client::stuck).
    pub cut_off: usize,
    /// Why the first of these failed.
    pub first_failure: Option<String>,
}

impl Clients {
    /// Clients for a run against `options.server`, none of them open yet.
    ///
    /// # Errors
    /// When the system gives no epoll instance, or TLS is impossible.
    pub fn new(
        options: &Options,
        entry: impl Fn(usize) -> Option<Cow<'static, [u8]>> + 'static,
    ) -> Result<Clients, Error> {
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
            servers: vec![*server],
            request: request.into_bytes(),
            target: format!("{path}{query}EIO=4&transport=polling {server}"),
            polling: false,
            receive_buffer: None,
            msgpack: options.msgpack,
            tls: options.tls.then(tls_config).transpose()?,
            conductor: None,
            entry: Box::new(entry),
            window: options.window.max(1),
            stall: options.stall,
            sources: u32::from(options.sources),
            next_source: 0,
            buf: vec![0; 4 * READ],
        })
    }

    /// Has the clients that are opened from now on go to several servers in turn, the one that is placed first to the first.
    ///
    /// # Panics
    /// Where there is no server.
    pub fn spread_over(&mut self, servers: Vec<SocketAddrV4>) {
        assert!(!servers.is_empty(), "clients need a server");
        self.servers = servers;
    }

    /// Has the clients that are opened from now on poll.
    pub fn poll_with_requests(&mut self) {
        self.polling = true;
    }

    /// Tells the server to do something, by a client that takes no part otherwise and is opened at the first command.
    ///
    /// # Errors
    /// When that one does not get in.
    pub fn command(&mut self, text: &str) -> Result<(), Error> {
        let conductor = match self.conductor {
            Some(conductor) => conductor,
            None => {
                let index = self.all.len();
                self.conductor = Some(index);
                let polling = std::mem::take(&mut self.polling);
                let opened = self.open_all(self.tally.ready + 1);
                self.polling = polling;
                opened?;
                index
            }
        };
        self.all[conductor].send(text.as_bytes());
        Ok(())
    }

    /// Cuts every connection without a word, as a network that fails does.
    pub fn cut_all(&mut self) {
        (0..self.all.len()).for_each(|i| self.cut(i));
    }

    /// Cuts one connection.
    pub fn cut(&mut self, i: usize) {
        if self.conductor == Some(i) {
            return;
        }
        match self.all[i].state {
            State::Free => return,
            State::Ready => self.tally.ready -= 1,
            State::Closing => {}
            _ => self.tally.opening -= 1,
        }
        self.tally.closed += 1;
        self.all[i] = Client::free(i);
    }

    /// Opens `count` clients, a window of them at a time, and returns when all are ready.
    ///
    /// # Errors
    /// When one fails, or none gets any further for the stall time.
    pub fn open_all(&mut self, count: usize) -> Result<(), Error> {
        self.open_all_with(count, &mut Ignore)
    }

    /// The same, with a handler that hears of it.
    ///
    /// # Errors
    /// When one fails, or none gets any further for the stall time.
    pub fn open_all_with(&mut self, count: usize, handler: &mut impl Handler) -> Result<(), Error> {
        let (mut best, mut since) = (0, now_ns());
        while self.tally.ready < count {
            while self.tally.ready + self.tally.opening < count && self.tally.opening < self.window
            {
                self.open_another();
            }
            self.poll(handler);
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
        (0..count).for_each(|i| self.reopen(i));
    }

    /// Opens a client again, unless it is open.
    pub fn reopen(&mut self, i: usize) {
        if self.all[i].state == State::Free {
            self.open(i);
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
        self.all.push(Client::free(self.all.len()));
        self.open(self.all.len() - 1);
    }

    fn open(&mut self, i: usize) {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let server = self.servers[i % self.servers.len()];
        let opened = self.connect(server).and_then(|socket| {
            epoll::add(&self.epoll, &socket, EventData::new_u64(i as u64), flags)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => {
                let tls = self.tls.as_ref().map(tls_client);
                self.all[i] = Client {
                    // An address is a valid name, so that this fails for nobody.
                    stream: Some(Stream::new(socket, tls.and_then(Result::ok))),
                    state: State::Connecting,
                    msgpack: self.msgpack,
                    polling: self.polling.then(Box::default),
                    ..Client::free(i)
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

    fn connect(&mut self, server: SocketAddrV4) -> Result<OwnedFd, Errno> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        set_tcp_nodelay(&socket, true)?;
        if let Some(bytes) = self.receive_buffer {
            set_socket_recv_buffer_size(&socket, bytes)?;
        }
        // One address has only some 28,000 local ports.
        let source = Ipv4Addr::from_bits(0x7f00_0002 + self.next_source % self.sources);
        self.next_source = self.next_source.wrapping_add(1);
        bind(&socket, &SocketAddrV4::new(source, 0))?;
        match connect(&socket, &server) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(e) => Err(e),
        }
    }

    fn end(&mut self, i: usize, why: String) {
        let client = std::mem::replace(&mut self.all[i], Client::free(i));
        self.tally.closed += 1;
        if client.stuck {
            self.tally.cut_off += 1;
        }
        match client.state {
            State::Closing => return,
            State::Ready if client.stuck => {
                self.tally.ready -= 1;
                return;
            }
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
            match &mut client.polling {
                Some(polling) => {
                    client.state = State::Opening;
                    polling.request(&self.target, &mut client.unsent);
                }
                None => {
                    client.state = State::Upgrading;
                    client.unsent.extend_from_slice(&self.request);
                }
            }
        }
        client.flush();
        if client.stuck {
            let over = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
            let cut = flags.intersects(over);
            return if cut {
                Err("cut off".to_owned())
            } else {
                Ok(())
            };
        }
        let readable = EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        if !flags.intersects(readable) {
            return Ok(());
        }
        while let Some(stream) = &mut client.stream {
            // The start of a split frame goes in front; mostly there is none.
            let kept = client.partial.len();
            if self.buf.len() < kept + READ {
                self.buf.resize(2 * kept + READ, 0);
            }
            self.buf[..kept].copy_from_slice(&client.partial);
            let room = self.buf.len() - kept;
            let buffers = stream.buffers();
            let read = match stream.recv(&mut self.buf[kept..]) {
                Ok(0) => return Err("end of stream".to_owned()),
                Ok(read) => read,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.to_string()),
            };
            let have = kept + read;
            let mut taker = Taker {
                entry: &self.entry,
                tally: &mut self.tally,
                target: &self.target,
                is_conductor: self.conductor == Some(i),
            };
            let used = taker.take(client, &self.buf[..have], handler)?;
            if used == have && client.partial.capacity() > READ / 4 {
                client.partial = Vec::new();
            }
            client.partial.clear();
            client.partial.extend_from_slice(&self.buf[used..have]);
            // A short read has emptied the socket, and the next byte raises a new edge; after a half-close none would.
            if read < room && !buffers && !flags.contains(EventFlags::RDHUP) {
                break;
            }
        }
        Ok(())
    }
}
