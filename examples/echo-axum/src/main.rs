//! Typed events on axum. Run with `cargo run -p echo-axum`.

use axum::{Router, extract::Path, http::StatusCode, routing::post};
use rooms_layer::{Error, prelude::*};
use serde::{Deserialize, Serialize};
use std::{env, io};
use tokio::net::TcpListener;

#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt::init();
    axum::serve(listen().await?, app(rooms())).await
}

fn app(rooms: RoomsLayer) -> Router {
    Router::new()
        .route("/topics/{topic}", post(publish))
        .layer(rooms)
}

/// An ordinary HTTP handler: what is posted to a topic goes to those who follow it.
async fn publish(
    io: Io<App>,
    Path(topic): Path<String>,
    text: String,
) -> Result<StatusCode, Error> {
    let (topic, text) = (&*topic, &*text);
    io.to(Room::topic(topic)).emit(News { topic, text })?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Namespace)]
#[namespace(path = "/", rooms(Room))]
#[namespace(client(Echo, Shout, Follow), server(Shout, News<'_>))]
struct App;

#[derive(Room)]
enum Room {
    /// Those who follow a topic.
    Topic(String),
}

/// Comes back as its own acknowledgement.
#[derive(Event, Deserialize)]
#[event(client, ack = String)]
struct Echo(String);

/// Goes to everybody.
#[derive(Event, Serialize, Deserialize)]
#[event(client, server, broadcast)]
struct Shout {
    text: String,
}

/// Asks for the news of a topic.
#[derive(Event, Deserialize)]
#[event(client, ack = bool)]
struct Follow(String);

/// News of a topic, for those who follow it and for nobody else: any other room does not compile.
#[derive(Event, Serialize, Deserialize)]
#[event(server, to(Room::Topic))]
struct News<'a> {
    topic: &'a str,
    text: &'a str,
}

#[handler(App)]
async fn echo(Echo(text): Echo) -> String {
    text
}

#[handler(App)]
async fn shout(io: Io<App>, message: Shout) -> Result<(), Error> {
    io.emit(message)?;
    Ok(())
}

#[handler(App)]
async fn follow(socket: Socket<App>, Follow(topic): Follow) -> bool {
    socket.join(Room::topic(topic));
    true
}

fn rooms() -> RoomsLayer {
    RoomsLayer::new().namespace(App::serve(()).on(echo).on(shout).on(follow))
}

/// Listens on `PORT`, or on 3000.
async fn listen() -> io::Result<TcpListener> {
    let port = env::var("PORT").ok().and_then(|port| port.parse().ok());
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(3000))).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}
