//! Expansions name everything by its full path: nothing is in scope here, and the usual names mean something else.
#![no_implicit_prelude]

use ::rooms_layer::{Event, Io, Main, Namespace, NamespaceExt, Room, RoomKey, Socket, handler};
use ::serde::{Deserialize, Serialize};

pub struct Option;
pub struct Result;
pub struct Some;
pub struct None;
pub struct Ok;
pub struct Err;
pub struct Box;
pub struct Vec;
pub struct String;
pub struct Clone;
pub struct Into;
mod core {}
mod std {}
mod rooms_layer {}

#[derive(RoomKey)]
pub struct Id(u64);

impl ::core::clone::Clone for Id {
    fn clone(&self) -> Self {
        Id(self.0)
    }
}

#[derive(Room)]
pub enum Place {
    Project(Id),
    User {
        name: ::std::string::String,
        number: u32,
    },
    Lobby,
}

#[derive(Event)]
#[event(to(Place::Project(0), Place::Lobby), ack = ::core::result::Result<u32, Failure>)]
pub struct Ask(Id);

impl Serialize for Id {
    fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::core::result::Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::core::result::Result<Self, D::Error> {
        ::core::result::Result::map(u64::deserialize(d), Id)
    }
}

#[derive(Serialize, Deserialize)]
pub struct Failure;

impl ::core::convert::From<::rooms_layer::Error> for Failure {
    fn from(_: ::rooms_layer::Error) -> Self {
        Failure
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(broadcast)]
pub struct Shout<'a> {
    text: &'a str,
}

#[derive(Namespace)]
#[namespace(rooms(Place), client(Ask, Shout<'_>), server(Ask, Shout<'_>))]
pub struct Server;

#[derive(Namespace)]
#[namespace(contract = Server, data = u32)]
pub struct Other;

#[derive(Namespace)]
#[namespace(open)]
pub struct Anything;

#[handler(Server, Other)]
async fn ask(_: Ask) -> ::core::result::Result<u32, Failure> {
    ::core::result::Result::Ok(1)
}

pub struct Block;

#[handler(Server)]
impl Block {
    #[on]
    async fn shout(&self, _: Socket<Server>, _: Shout<'_>) {}
    #[connect]
    async fn came(&self, _: Socket<Server>) {}
    #[disconnect]
    async fn gone(&self) {}
}

#[handler]
async fn main_ask(_: Io<Main>, _: Ask) -> ::core::result::Result<u32, Failure> {
    ::core::result::Result::Ok(1)
}

pub fn served() -> ::rooms_layer::Served<Server> {
    Server::serve(()).on(ask).handlers(Block).build()
}
