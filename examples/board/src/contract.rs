//! What travels between the page and the server: rooms, events, and who may hear which.

use crate::{
    AppState,
    error::ApiError,
    people::{Person, Session},
    store::{ProjectId, Task, TaskChange},
};
use rooms_layer::{
    export::{
        self, BigIntegers, ExportError,
        schemars::{self, JsonSchema},
    },
    prelude::*,
};
use serde::{Deserialize, Serialize};

/// The namespace of the page.
#[derive(Namespace)]
#[namespace(path = "/", auth = SignIn, data = Session, state = AppState, rooms(Room))]
#[namespace(client(JoinProject, Cursor, SendMessage, SaveNote))]
#[namespace(server(ProjectUpdated, Presence, CursorMoved<'_>, Message<'_>, NoteChanged))]
pub struct Board;

/// The contract as the page imports it. Ids and versions count from one, so that numbers of JavaScript hold them.
///
/// # Errors
///
/// Fails when the contract holds what TypeScript can't say.
pub fn typescript() -> Result<String, ExportError> {
    let options = export::Options::default().big_integers(BigIntegers::Number);
    options.typescript::<Board>()
}

#[derive(Room)]
pub enum Room {
    /// The windows that show a project.
    Project(ProjectId),
    /// The windows of one person.
    User(String),
}

/// What a window says when it connects.
#[derive(Deserialize, JsonSchema)]
pub struct SignIn {
    pub name: String,
}

/// A window shows a project from now on, and no other.
#[derive(Event, Deserialize)]
#[event(client, ack = Result<Joined, ApiError>)]
pub struct JoinProject(pub ProjectId);

/// The project as it is; every later change follows as [`ProjectUpdated`].
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    pub tasks: Vec<Task>,
    pub version: u64,
    pub people: Vec<Person>,
}

/// The pointer moved over the board, whose width and height are 1.
#[derive(Event, Deserialize)]
#[event(client)]
pub struct Cursor(
    /// x
    pub f64,
    /// y
    pub f64,
);

/// A message for one window.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(client, ack = Result<(), ApiError>)]
pub struct SendMessage {
    pub to: SocketId,
    pub text: String,
}

/// The text of somebody's own note.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(client)]
pub struct SaveNote {
    pub text: String,
}

/// A task of a project changed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::Project))]
pub struct ProjectUpdated {
    pub project: ProjectId,
    /// The version that this change leads to.
    pub version: u64,
    pub change: TaskChange,
}

/// Who has the project open, oldest first.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::Project))]
pub struct Presence {
    pub people: Vec<Person>,
}

/// Somebody else's pointer moved.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::Project))]
pub struct CursorMoved<'a> {
    pub id: SocketId,
    pub name: &'a str,
    pub color: &'a str,
    pub x: f64,
    pub y: f64,
}

/// A message from another window. It has no audience: it can only go to a socket by its id.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server)]
pub struct Message<'a> {
    pub from: SocketId,
    pub name: &'a str,
    pub text: &'a str,
}

/// Somebody's note, for all their windows.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(server, to(Room::User))]
pub struct NoteChanged {
    pub text: String,
}
