//! A small app that the UI cases use: project rooms, events of every form, handlers of every kind, axum routes.
#![allow(missing_docs, reason = "the names are those of the guide")]

use axum::{Json, Router, extract::Path, routing::post};
use rooms_layer::{
    Error, Served,
    export::schemars::{self, JsonSchema},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, RoomKey, JsonSchema)]
pub struct ProjectId(pub u64);

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash, RoomKey, JsonSchema)]
pub struct UserId(pub String);

#[derive(Room, Clone, Debug, PartialEq)]
pub enum Room {
    Project(ProjectId),
    User(UserId),
    Cell {
        project: ProjectId,
        path: String,
        row: u32,
    },
    Lobby,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
pub struct Task {
    pub title: String,
    pub done: bool,
}

/// A project changed.
#[derive(Event, Serialize, Deserialize, Debug, PartialEq, JsonSchema)]
#[event(name = "project updated", server, to(Room::Project, Room::User))]
pub struct ProjectUpdated<T> {
    pub id: ProjectId,
    pub change: T,
}

/// Borrows what it sends, and knows its own room.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::Project(id)))]
pub struct Renamed<'a> {
    pub id: ProjectId,
    pub name: &'a str,
}

/// Two arguments: `socket.on("cursor_moved", (x, y) => ..)`.
#[derive(Event, Debug, PartialEq)]
#[event(to(Room::*))]
pub struct CursorMoved(pub f32, pub f32);

/// No argument.
#[derive(Event)]
#[event(server, broadcast)]
pub struct Maintenance;

/// An attachment.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::Project))]
pub struct Thumbnail {
    pub id: ProjectId,
    pub png: Bytes,
}

/// The server asks, the client answers.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, ack = bool, to(Room::Project))]
pub struct ConfirmDelete {
    pub id: ProjectId,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(client, ack = Result<Task, ApiError>)]
pub struct AddTask {
    pub id: ProjectId,
    pub title: String,
}

#[derive(Event, Serialize, Deserialize)]
#[event(client, ack = Result<(), ApiError>)]
pub struct JoinProject(pub ProjectId);

/// Borrows from the packet that it is read from.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(client)]
pub struct Typing<'a> {
    pub id: ProjectId,
    #[serde(borrow)]
    pub field: &'a str,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, JsonSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ApiError {
    NotFound,
    Internal,
    BadRequest { message: String },
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => ApiError::BadRequest {
                message: rejection.to_string(),
            },
            _ => ApiError::Internal,
        }
    }
}

#[derive(Deserialize, Serialize, JsonSchema)]
pub struct Token {
    pub token: String,
}

pub struct Session {
    pub user: UserId,
}

#[derive(Clone, Default)]
pub struct Db(pub Arc<Mutex<Vec<Task>>>);

#[derive(Namespace)]
#[namespace(path = "/", auth = Token, data = Session, state = Db, rooms(Room))]
#[namespace(client(AddTask, JoinProject, Typing<'_>, CursorMoved))]
#[namespace(server(ProjectUpdated<Task>, Renamed<'_>, CursorMoved, Maintenance, Thumbnail, ConfirmDelete))]
pub struct App;

#[handler(App)]
pub async fn add_task(
    socket: Socket<App>,
    State(db): State<Db>,
    AddTask { id, title }: AddTask,
) -> Result<Task, ApiError> {
    if title.is_empty() {
        return Err(ApiError::NotFound);
    }
    let task = Task { title, done: false };
    let mut tasks = db.0.lock().unwrap_or_else(PoisonError::into_inner);
    tasks.push(task.clone());
    let change = task.clone();
    socket
        .to(Room::project(id))
        .emit(ProjectUpdated { id, change })?;
    Ok(task)
}

#[handler(App)]
pub async fn join_project(
    socket: Socket<App>,
    ack: Ack<JoinProject>,
    JoinProject(id): JoinProject,
) -> Replied<JoinProject> {
    socket.join(Room::project(id));
    let replied = ack.send(Ok(())); // The client goes on from here.
    let name = &socket.data().user.0;
    socket.publish(Renamed { id, name }).ok();
    replied
}

#[derive(Default)]
pub struct Cursors {
    pub gone: Arc<Mutex<Vec<DisconnectReason>>>,
}

#[handler(App)]
impl Cursors {
    #[on]
    async fn moved(&self, socket: Socket<App>, CursorMoved(x, y): CursorMoved) {
        for room in socket.rooms::<Room>() {
            socket.to(room).volatile().emit(CursorMoved(x, y)).ok();
        }
    }

    #[on]
    async fn typing(&self, event: Typing<'_>) {
        self.log(event.field).await
    }

    #[connect]
    async fn came(&self, socket: Socket<App>) {
        socket.join(Room::lobby());
    }

    #[disconnecting]
    async fn leaves(&self, socket: Socket<App>) -> Result<(), Error> {
        for room in socket.rooms::<Room>() {
            socket.to(room).emit(CursorMoved(0., 0.))?;
        }
        Ok(())
    }

    #[disconnect]
    async fn left(&self, _: Socket<App>, why: DisconnectReason) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.push(why);
    }

    async fn log(&self, _: &str) {}
}

pub async fn authorize(handshake: Handshake<App>) -> Result<Session, Refuse> {
    if handshake.auth.token != "letmein" {
        return Err(Refuse::new("bad token"));
    }
    let user = UserId("ann".into());
    Ok(Session { user })
}

pub fn serve(db: Db) -> Served<App> {
    App::serve(db)
        .authorize(authorize)
        .on_connect(async |socket: Socket<App>| socket.join(Room::user(socket.data().user.clone())))
        .on(add_task)
        .on(join_project)
        .handlers(Cursors::default())
        .build()
}

pub async fn rename(io: Io<App>, Path(id): Path<u64>, name: String) -> Result<Json<usize>, Error> {
    let id = ProjectId(id);
    let change = Task {
        title: name.clone(),
        done: true,
    };
    io.to(Room::project(id))
        .emit(ProjectUpdated { id, change })?;
    let bot = Room::user(UserId("bot".into()));
    let sent = io
        .to(Room::project(id))
        .except(bot)
        .emit(Renamed { id, name: &name })?;
    Ok(Json(sent.local))
}

pub async fn delete(io: Io<App>, Path(id): Path<u64>) -> Result<String, Error> {
    let id = ProjectId(id);
    let room = io.to(Room::project(id));
    let votes = room.emit_with_ack(ConfirmDelete { id })?.collect().await;
    let yes = votes.iter().filter(|(_, vote)| matches!(vote, Ok(true)));
    Ok(format!("{}/{}", yes.count(), votes.len()))
}

pub fn app(rooms: RoomsLayer) -> Router {
    Router::new()
        .route("/p/{id}/rename", post(rename))
        .route("/p/{id}/delete", post(delete))
        .layer(rooms)
}
