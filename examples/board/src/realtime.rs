//! The live side: what happens when a window connects, speaks and leaves.

use crate::{
    AppState,
    contract::{
        Board, Cursor, CursorMoved, JoinProject, Joined, Message, NoteChanged, Presence, Room,
        SaveNote, SendMessage,
    },
    error::ApiError,
    people::{People, Person, Present, Server, Session},
    store::{ProjectId, Store},
};
use rooms_layer::{Error, Served, prelude::*};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

const MESSAGE_LENGTH: usize = 2_000;
const NOTE_LENGTH: usize = 10_000;

/// Mounts the namespace of the page.
pub fn serve(state: AppState) -> Served<Board> {
    let people = state.people.clone();
    let notes = state.notes.clone();
    Board::serve(state)
        .authorize(authorize)
        .on_connect(move |socket| connected(socket, notes.clone()))
        .on(join_project)
        .on(cursor)
        .on(send_message)
        .on(save_note)
        .on_disconnecting(move |socket, _reason| leaving(socket, people.clone()))
        .build()
}

/// The note of each person.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<HashMap<String, String>>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

/// What this returns belongs to the socket from here on: `socket.data()`.
async fn authorize(handshake: Handshake<Board>) -> Result<Session, Refuse> {
    Session::new(&handshake.auth.name).map_err(|error| Refuse::new(error.to_string()))
}

async fn connected(socket: Socket<Board>, notes: Notes) -> Result<(), Error> {
    let name = &socket.data().name;
    let notes = notes.lock();
    // Joined under the lock, so that no change of the note can slip in between.
    socket.join(Room::user(name));
    let text = notes.get(name).cloned().unwrap_or_default();
    socket.emit(NoteChanged { text })?;
    Ok(())
}

#[handler(Board)]
async fn join_project(
    socket: Socket<Board>,
    State(people): State<People>,
    State(store): State<Store>,
    State(Server(server)): State<Server>,
    JoinProject(project): JoinProject,
) -> Result<Joined, ApiError> {
    let mut present = people.lock();
    leave(&socket, &mut present)?;
    // In the room before the tasks are read: what changes meanwhile arrives twice rather than never, and the page
    // knows by its version that it has it.
    socket.join(Room::project(project));
    let Session { name, color } = socket.data().clone();
    let person = Person {
        id: socket.id().clone(),
        name,
        color: color.into(),
        server,
    };
    present.enter(project, person);
    tell_presence(&socket.io(), project, &present)?;

    let people = present.of(project);
    let (tasks, version) = store.lock().snapshot(project);
    Ok(Joined {
        tasks,
        version,
        people,
    })
}

#[handler(Board)]
async fn cursor(socket: Socket<Board>, Cursor(x, y): Cursor) -> Result<(), Error> {
    let Session { name, color } = socket.data();
    for room in socket.rooms::<Room>() {
        if let Room::Project(project) = room {
            let id = socket.id().clone();
            let moved = CursorMoved {
                id,
                name,
                color,
                x,
                y,
            };
            // Whoever can't keep up skips this one: the next will be better anyway.
            socket.to(Room::project(project)).volatile().emit(moved)?;
        }
    }
    Ok(())
}

#[handler(Board)]
async fn send_message(
    socket: Socket<Board>,
    State(people): State<People>,
    SendMessage { to, text }: SendMessage,
) -> Result<(), ApiError> {
    if text.trim().is_empty() || text.chars().count() > MESSAGE_LENGTH {
        return Err(ApiError::invalid("a message has 1 to 2,000 characters"));
    }
    if !people.lock().contains(&to) {
        return Err(ApiError::not_found("nobody has that id"));
    }
    let from = socket.id().clone();
    let name = &socket.data().name;
    let text = &text;
    socket.io().to(to).emit(Message { from, name, text })?;
    Ok(())
}

#[handler(Board)]
async fn save_note(
    socket: Socket<Board>,
    State(notes): State<Notes>,
    SaveNote { text }: SaveNote,
) -> Result<(), ApiError> {
    if text.chars().count() > NOTE_LENGTH {
        return Err(ApiError::invalid("a note has up to 10,000 characters"));
    }
    let name = &socket.data().name;
    let mut notes = notes.lock();
    notes.insert(name.clone(), text.clone());
    socket.to(Room::user(name)).emit(NoteChanged { text })?;
    Ok(())
}

/// Runs while the rooms of the window are still there.
async fn leaving(socket: Socket<Board>, people: People) -> Result<(), Error> {
    leave(&socket, &mut people.lock())
}

/// Takes the window out of the project that it shows.
fn leave(socket: &Socket<Board>, present: &mut Present) -> Result<(), Error> {
    if let Some(project) = present.leave(socket.id()) {
        socket.leave(Room::project(project));
        tell_presence(&socket.io(), project, present)?;
    }
    Ok(())
}

/// Tells the windows of a project who is here, while nobody can come or go.
fn tell_presence(io: &Io<Board>, project: ProjectId, present: &Present) -> Result<(), Error> {
    let people = present.of(project);
    io.to(Room::project(project)).emit(Presence { people })?;
    Ok(())
}

#[cfg(test)]
mod tests;
