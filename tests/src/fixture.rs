//! The app that every foreign client suite talks to: `tests/clients/FIXTURE.md`. The binaries `fixture-*` serve it on
//! three frameworks.
#![allow(missing_docs, reason = "FIXTURE.md describes the events")]

use rooms_layer::{Error, RoomSet, Served, prelude::*, wire::Value};
use serde::{Deserialize, Serialize};
use std::{
    io,
    sync::{Mutex, PoisonError},
};
use tokio::net::TcpListener;

#[derive(Namespace)]
#[namespace(path = "/", auth = Option<Credentials>, data = Session, rooms(Named))]
#[namespace(client(Echo, Strict, Shout, Join, Leave, Rooms, Tell, AskMe))]
#[namespace(client(Binary, SendBinary, Order, OrderCheck, Kick))]
#[namespace(server(Shouted<'_>, Told<'_>, Question, Answered, Blob, Notice))]
pub struct App;

#[derive(Deserialize)]
pub struct Credentials {
    #[serde(default)]
    pub token: String,
}

/// What is remembered of one client.
#[derive(Default)]
pub struct Session {
    order: Mutex<Ordered>,
}

/// How many `order` came, and whether each was the next number.
#[derive(Serialize, Clone, Copy)]
pub struct Ordered {
    pub count: u64,
    pub in_order: bool,
}

impl Default for Ordered {
    fn default() -> Self {
        Self {
            count: 0,
            in_order: true,
        }
    }
}

/// Clients name the rooms, so that any name is one.
pub struct Named(pub String);

impl RoomSet for Named {
    type AnyKind = ();

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }

    fn parse(name: &str) -> Option<Self> {
        Some(Self(name.to_owned()))
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = Value)]
pub struct Echo(pub Value);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = Result<Next, Problem>)]
pub struct Strict {
    pub n: u32,
}

#[derive(Serialize)]
pub struct Next {
    pub n: u64,
}

#[derive(Serialize)]
pub struct Problem {
    pub message: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self {
            message: error.to_string(),
        }
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
pub struct Shout {
    pub text: String,
}

#[derive(Event, Serialize)]
#[event(server, broadcast)]
pub struct Shouted<'a> {
    pub text: &'a str,
    pub from: &'a SocketId,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
pub struct Join(pub String);

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
pub struct Leave(pub String);

#[derive(Event)]
#[event(client, ack = Vec<String>)]
pub struct Rooms;

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
pub struct Tell {
    pub room: String,
    pub text: String,
}

#[derive(Event, Serialize)]
#[event(server, to(dynamic))]
pub struct Told<'a> {
    pub room: &'a str,
    pub text: &'a str,
}

#[derive(Event)]
#[event(client)]
pub struct AskMe;

#[derive(Event, Serialize)]
#[event(server, ack = f64)]
pub struct Question {
    pub n: u32,
}

#[derive(Event, Serialize)]
#[event(server)]
pub struct Answered {
    pub n: f64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = Labelled)]
pub struct Binary {
    pub label: String,
    pub blob: Bytes,
}

#[derive(Serialize)]
pub struct Labelled {
    pub label: String,
    pub blob: Bytes,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
pub struct SendBinary {
    pub label: String,
    pub parts: Vec<Bytes>,
}

#[derive(Event, Serialize)]
#[event(server)]
pub struct Blob {
    pub label: String,
    pub parts: Vec<Bytes>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client)]
pub struct Order(pub u64);

#[derive(Event)]
#[event(client, ack = Ordered)]
pub struct OrderCheck;

#[derive(Event)]
#[event(client)]
pub struct Kick;

#[derive(Event, Serialize)]
#[event(server, broadcast, to(dynamic))]
pub struct Notice {
    pub text: String,
}

/// The body of `POST /emit`.
#[derive(Deserialize)]
pub struct Emit {
    pub room: Option<String>,
    pub text: String,
}

/// What `POST /emit` does, whatever framework hands it over.
pub fn emit(io: &Io<App>, Emit { room, text }: Emit) -> Result<(), Error> {
    match room {
        Some(room) => io.to(DynRoom(room)).emit(Notice { text })?,
        None => io.emit(Notice { text })?,
    };
    Ok(())
}

/// The layer that serves the app.
pub fn rooms() -> RoomsLayer {
    RoomsLayer::new().namespace(serve())
}

/// Listens on a free port, and says so as FIXTURE.md wants it.
pub async fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

fn serve() -> Served<App> {
    App::serve(())
        .authorize(authorize)
        .handlers(Fixture)
        .build()
}

async fn authorize(handshake: Handshake<App>) -> Result<Session, Refuse> {
    #[derive(Serialize)]
    struct Code {
        code: u16,
    }
    match handshake.auth {
        Some(Credentials { token }) if token == "secret" => Ok(Session::default()),
        _ => Err(Refuse::new("invalid token").with_data(&Code { code: 401 })?),
    }
}

struct Fixture;

#[handler(App)]
impl Fixture {
    #[on]
    async fn echo(&self, Echo(value): Echo) -> Value {
        value
    }

    #[on]
    async fn strict(&self, Strict { n }: Strict) -> Result<Next, Problem> {
        Ok(Next {
            n: u64::from(n) + 1,
        })
    }

    #[on]
    async fn shout(&self, socket: Socket<App>, Shout { text }: Shout) -> Result<(), Error> {
        let (text, from) = (&*text, socket.id());
        socket.io().emit(Shouted { text, from })?;
        Ok(())
    }

    #[on]
    async fn join(&self, socket: Socket<App>, Join(room): Join) -> bool {
        socket.join(DynRoom(room));
        true
    }

    #[on]
    async fn leave(&self, socket: Socket<App>, Leave(room): Leave) -> bool {
        socket.leave(DynRoom(room));
        true
    }

    #[on]
    async fn rooms(&self, socket: Socket<App>, _: Rooms) -> Vec<String> {
        let mut names: Vec<_> = socket
            .rooms::<Named>()
            .into_iter()
            .map(|room| room.0)
            .collect();
        names.sort();
        names
    }

    #[on]
    async fn tell(&self, socket: Socket<App>, Tell { room, text }: Tell) -> Result<(), Error> {
        let (told, room) = (
            Told {
                room: &room,
                text: &text,
            },
            DynRoom::from(&*room),
        );
        socket.to(room).emit(told)?;
        Ok(())
    }

    #[on]
    async fn ask_me(&self, socket: Socket<App>, _: AskMe) -> Result<(), Error> {
        let n = socket.emit_with_ack(Question { n: 20 }).await?;
        socket.emit(Answered { n })?;
        Ok(())
    }

    #[on]
    async fn binary(&self, Binary { label, blob }: Binary) -> Labelled {
        let blob = blob.iter().rev().copied().collect();
        Labelled { label, blob }
    }

    #[on]
    async fn send_binary(&self, socket: Socket<App>, sent: SendBinary) -> Result<(), Error> {
        let SendBinary { label, parts } = sent;
        socket.emit(Blob { label, parts })?;
        Ok(())
    }

    #[on]
    async fn order(&self, socket: Socket<App>, Order(n): Order) {
        let mut order = ordered(&socket);
        order.in_order &= n == order.count;
        order.count += 1;
    }

    #[on]
    async fn order_check(&self, socket: Socket<App>, _: OrderCheck) -> Ordered {
        *ordered(&socket)
    }

    #[on]
    async fn kick(&self, socket: Socket<App>, _: Kick) {
        socket.disconnect();
    }
}

fn ordered(socket: &Socket<App>) -> std::sync::MutexGuard<'_, Ordered> {
    let order = &socket.data().order;
    order.lock().unwrap_or_else(PoisonError::into_inner)
}
