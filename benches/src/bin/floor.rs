//! The floor: what the kernel alone costs. One thread, epoll, one shared log of encoded frames, a cursor per client.
//!
//! `floor --port 3000 [--batch 64]`, where `--batch` events leave with one send. It has no heartbeats, no ids and no
//! limits, and answers only what the load generator asks: nothing that delivers the same bytes can cost much less.

use clap::Parser;
use rooms_bench::{
    by_hand::{
        BINARY, CLOSE, Command, MAX_FRAME, OPEN, TEXT, accept_key, binary_event, client_frame,
        event, frame, stamped,
    },
    clock::{SECOND, now_ns},
    protocol::seat,
};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    fd::OwnedFd,
    io::Errno,
    net::{RecvFlags, SendFlags, SocketFlags, accept_with, recv, send, sockopt::set_tcp_nodelay},
};
use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

#[derive(Parser)]
struct Cli {
    /// Port of 127.0.0.1 to listen on.
    #[arg(long)]
    port: u16,
    /// Events of a burst that leave with one send.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

/// The key of the listener among the clients' indices.
const LISTENER: u64 = u64::MAX;

/// A read finds room behind the start of a split frame, which is shorter than two of the longest ones.
const BUFFER: usize = 4 * MAX_FRAME;

fn main() -> io::Result<()> {
    let Cli { port, batch } = Cli::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    // Again, with a queue that is as long as the other servers'.
    rustix::net::listen(&listener, 4096)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    let mut floor = Floor {
        epoll,
        clients: Vec::new(),
        free: Vec::new(),
        room: Vec::new(),
        seats: Vec::new(),
        log: Log::default(),
        behind: 0,
        buf: vec![0; BUFFER],
        answers: Vec::new(),
        batch,
        pace: None,
    };
    let mut events = Vec::with_capacity(512);
    loop {
        let wait = floor.tick();
        events.clear();
        match epoll::wait(&floor.epoll, spare_capacity(&mut events), wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => floor.accept(&listener)?,
                i => floor.progress(i as usize, event.flags),
            }
        }
    }
}

struct Floor {
    epoll: OwnedFd,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    /// Indices of the clients in the room.
    room: Vec<usize>,
    /// Indices of the clients in each of the small rooms. Nobody leaves them.
    seats: Vec<Vec<usize>>,
    log: Log,
    /// How many members have not taken the whole log.
    behind: usize,
    buf: Vec<u8>,
    /// Answers to one read, which leave with one send.
    answers: Vec<u8>,
    batch: u32,
    pace: Option<Pace>,
}

struct Client {
    socket: OwnedFd,
    upgraded: bool,
    member: Option<Member>,
    /// Start of a frame whose rest has not arrived.
    stash: Vec<u8>,
}

struct Member {
    /// Where in `Floor::room` it is.
    seat: usize,
    /// How much of the log it has taken.
    cursor: u64,
    /// Its socket was full: it goes on when epoll says so.
    behind: bool,
}

/// Frames for every member, kept until the last one has taken them.
#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    /// Position of the first byte, counted from the beginning of time.
    base: u64,
}

impl Log {
    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    fn push(&mut self, seq: u32, payload: &str) {
        frame(&mut self.bytes, TEXT, event(seq, payload).as_bytes());
    }

    fn clear(&mut self) {
        self.base = self.end();
        self.bytes.clear();
    }

    /// Sends a member what it lacks; returns whether it has everything then.
    fn send(&self, socket: &OwnedFd, member: &mut Member) -> bool {
        let lacking = &self.bytes[(member.cursor - self.base) as usize..];
        // A full or broken socket takes nothing, and epoll reports either.
        member.cursor += send(socket, lacking, SendFlags::NOSIGNAL).unwrap_or(0) as u64;
        member.cursor == self.end()
    }
}

/// Where paced events go.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Room,
    Seats,
    Binary,
}

struct Pace {
    began: u64,
    way: Way,
    rate: u32,
    bytes: usize,
    total: u32,
    next: u32,
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        for _ in 0..64 {
            // Out of descriptors or of connections to accept: either way there is nothing more to do.
            let Ok(socket) = accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
            else {
                break;
            };
            set_tcp_nodelay(&socket, true)?;
            let i = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            epoll::add(&self.epoll, &socket, EventData::new_u64(i as u64), flags)?;
            self.clients[i] = Some(Client {
                socket,
                upgraded: false,
                member: None,
                stash: Vec::new(),
            });
        }
        Ok(())
    }

    fn progress(&mut self, i: usize, flags: EventFlags) {
        if flags.contains(EventFlags::OUT) {
            self.catch_up(i);
        }
        let readable = EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        if flags.intersects(readable) {
            match self.read(i) {
                Ok(Command::Blast { events, bytes }) => self.blast(events, bytes),
                Ok(Command::Pace {
                    rate,
                    bytes,
                    secs,
                    to,
                }) => {
                    // Who is muted never joined, and everybody else did.
                    let way = match to.as_str() {
                        "seats" => Way::Seats,
                        "binary" => Way::Binary,
                        _ => Way::Room,
                    };
                    let total = rate.saturating_mul(secs);
                    let rate = rate.max(1);
                    self.pace = Some(Pace {
                        began: now_ns(),
                        way,
                        rate,
                        bytes,
                        total,
                        next: 0,
                    });
                }
                Ok(_) => {}
                Err(Over) => self.close(i),
            }
        }
    }

    fn catch_up(&mut self, i: usize) {
        let Some(Client {
            socket,
            member: Some(member),
            ..
        }) = &mut self.clients[i]
        else {
            return;
        };
        if member.behind && self.log.send(socket, member) {
            member.behind = false;
            self.behind -= 1;
            self.trim();
        }
    }

    /// Brings every member up to the end of the log.
    fn flush(&mut self) {
        for &i in &self.room {
            let Some(Client {
                socket,
                member: Some(member),
                ..
            }) = &mut self.clients[i]
            else {
                continue;
            };
            if !member.behind && !self.log.send(socket, member) {
                member.behind = true;
                self.behind += 1;
            }
        }
        self.trim();
    }

    fn trim(&mut self) {
        if self.behind == 0 {
            self.log.clear();
        }
    }

    fn blast(&mut self, events: u32, bytes: usize) {
        let payload = "x".repeat(bytes);
        for seq in 0..events {
            self.log.push(seq, &payload);
            if (seq + 1) % self.batch == 0 || seq + 1 == events {
                self.flush();
            }
        }
    }

    /// Emits what is due; returns how long nothing more will be.
    fn tick(&mut self) -> Option<Timespec> {
        loop {
            let pace = self.pace.as_mut().filter(|pace| pace.next < pace.total)?;
            let due = pace.began + u64::from(pace.next) * SECOND / u64::from(pace.rate);
            let early = due.saturating_sub(now_ns());
            if early > 0 {
                return Some(Timespec {
                    tv_sec: (early / SECOND) as i64,
                    tv_nsec: (early % SECOND) as _,
                });
            }
            let (seq, payload) = (pace.next, stamped(pace.bytes));
            pace.next += 1;
            match pace.way {
                Way::Room => self.log.push(seq, &payload),
                Way::Binary => {
                    frame(&mut self.log.bytes, TEXT, binary_event(seq).as_bytes());
                    frame(&mut self.log.bytes, BINARY, payload.as_bytes());
                }
                Way::Seats => {
                    self.emit_to_seat(seq, &payload);
                    continue;
                }
            }
            self.flush();
        }
    }

    fn emit_to_seat(&self, seq: u32, payload: &str) {
        let mut bytes = Vec::new();
        frame(&mut bytes, TEXT, event(seq, payload).as_bytes());
        for &i in self.seats.get(seat(seq) as usize).into_iter().flatten() {
            if let Some(client) = &self.clients[i] {
                // What a full socket does not take is lost, and the load generator says so.
                let _ = send(&client.socket, &bytes, SendFlags::NOSIGNAL);
            }
        }
    }

    /// Reads and answers what has arrived; returns the command that concerns the whole room, if there is one.
    fn read(&mut self, i: usize) -> Result<Command, Over> {
        let Some(client) = &mut self.clients[i] else {
            return Ok(Command::Nothing);
        };
        let kept = client.stash.len();
        self.buf[..kept].copy_from_slice(&client.stash);
        let have = match recv(&client.socket, &mut self.buf[kept..], RecvFlags::empty()) {
            Ok((0, _)) => return Err(Over),
            Ok((read, _)) => kept + read,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Command::Nothing),
            Err(_) => return Err(Over),
        };
        let mut input = &mut self.buf[..have];
        let out = &mut self.answers;
        out.clear();
        let mut command = Command::Nothing;
        if !client.upgraded {
            let Some(response) = upgrade(input)? else {
                client.stash = input.to_vec();
                return Ok(Command::Nothing);
            };
            out.extend_from_slice(response.as_bytes());
            frame(out, TEXT, OPEN.as_bytes());
            client.upgraded = true;
            input = &mut [];
        }
        let mut over = Ok(());
        while let Some(found) = client_frame(input).map_err(|_| Over)? {
            let (taken, rest) = input.split_at_mut(found.len);
            let payload = &taken[found.payload];
            match found.opcode {
                TEXT => match Command::read(std::str::from_utf8(payload).map_err(|_| Over)?) {
                    Command::Reply(text) => frame(out, TEXT, text.as_bytes()),
                    Command::Join(text) => {
                        frame(out, TEXT, text.as_bytes());
                        if client.member.is_none() {
                            let seat = self.room.len();
                            client.member = Some(Member {
                                seat,
                                cursor: self.log.end(),
                                behind: false,
                            });
                            self.room.push(i);
                        }
                    }
                    Command::Sit(rooms, text) => {
                        frame(out, TEXT, text.as_bytes());
                        for room in rooms.into_iter().map(|room| room as usize) {
                            if self.seats.len() <= room {
                                self.seats.resize_with(room + 1, Vec::new);
                            }
                            self.seats[room].push(i);
                        }
                    }
                    Command::Nothing => {}
                    other => command = other,
                },
                CLOSE => {
                    frame(out, CLOSE, payload);
                    over = Err(Over);
                }
                _ => {}
            }
            input = rest;
        }
        client.stash.clear();
        client.stash.extend_from_slice(input);
        if !out.is_empty() {
            // No mode of the load generator asks for an answer while events are on their way to the same client, so it
            // cannot end up inside an event's frame; and a socket with no room for it belongs to a client that is stuck.
            let sent = send(&client.socket, out, SendFlags::NOSIGNAL).map_err(|_| Over)?;
            if sent < out.len() {
                return Err(Over);
            }
        }
        over.map(|()| command)
    }

    fn close(&mut self, i: usize) {
        let Some(client) = self.clients[i].take() else {
            return;
        };
        self.free.push(i);
        let Some(member) = client.member else { return };
        self.room.swap_remove(member.seat);
        if let Some(&moved) = self.room.get(member.seat)
            && let Some(Client {
                member: Some(other),
                ..
            }) = &mut self.clients[moved]
        {
            other.seat = member.seat;
        }
        if member.behind {
            self.behind -= 1;
            self.trim();
        }
    }
}

/// The connection is over.
struct Over;

/// The answer to an upgrade request; `None` while the request is not whole.
fn upgrade(request: &[u8]) -> Result<Option<String>, Over> {
    if !request.ends_with(b"\r\n\r\n") {
        return if request.len() < MAX_FRAME {
            Ok(None)
        } else {
            Err(Over)
        };
    }
    let text = std::str::from_utf8(request).map_err(|_| Over)?;
    let key = text
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .ok_or(Over)?;
    Ok(Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    )))
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }
}
