//! The whole house from outside: real connections, a client that is not ours.

mod admission;
mod balancing;
mod connections;
mod eio3;
mod events;
mod handshake;
mod http2;
mod membership;
mod polling;
mod rooms;
mod service;

use axum::{Router, routing::get};
use rooms_layer::prelude::*;
use rooms_tests::{client::Client, server};
use serde::{Deserialize, Serialize};

#[derive(Room, Debug, PartialEq)]
enum Room {
    Project(u32),
    User(String),
}

/// What tests listen for.
#[derive(Event, Serialize, Deserialize)]
#[event(server, broadcast, to(Room::*))]
struct Said(String);

/// Joins a project.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Enter(u32);

/// A numbered event.
#[derive(Event, Serialize, Deserialize)]
#[event(client)]
struct Number(u32);

/// An event with an answer, so that a client can know what came before it.
#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = bool)]
struct Done;

async fn enter(socket: Socket<Main>, Enter(project): Enter) -> bool {
    socket.join(Room::project(project));
    true
}

fn said(text: &str) -> Said {
    Said(text.to_owned())
}

/// Serves a layer around an application that has nothing else.
async fn serve(rooms: RoomsLayer) -> std::net::SocketAddr {
    let app = Router::new().route("/", get(|| async { "somebody else's" }));
    server::serve(app.layer(rooms)).await
}

/// What a client hears up to and including `end`.
async fn heard<S>(client: &mut Client<S>) -> Vec<String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut heard = Vec::new();
    loop {
        let event = client.event().await;
        assert_eq!(event[0], "said");
        let text = event[1].as_str().expect("a text").to_owned();
        let last = text == "end";
        heard.push(text);
        if last {
            return heard;
        }
    }
}
