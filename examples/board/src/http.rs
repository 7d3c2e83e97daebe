//! The REST interface: plain axum handlers, which change a project and tell its room.
//!
//! Each handler changes and emits under one lock, so that every window hears of the changes in the order of their versions.
//! Emitting does not wait for anybody, so the lock is short.

use crate::{
    AppState,
    contract::{Board, ProjectUpdated, Room},
    error::ApiError,
    store::{Column, Edit, ProjectId, Store, Task, TaskId},
};
use axum::{
    Json, Router,
    extract::{FromRequest, Path, State},
    http::StatusCode,
    routing::{get, patch},
};
use rooms_layer::Io;
use serde::Deserialize;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/projects/{id}/tasks", get(list).post(create))
        .route("/api/tasks/{id}", patch(edit).delete(delete))
}

/// `Json`, whose refusals have the form of all other errors.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(ApiError))]
struct Body<T>(T);

#[derive(Deserialize)]
struct NewTask {
    title: String,
    #[serde(default)]
    column: Column,
}

async fn list(State(store): State<Store>, Path(project): Path<ProjectId>) -> Json<Vec<Task>> {
    let (tasks, _version) = store.lock().snapshot(project);
    Json(tasks)
}

async fn create(
    io: Io<Board>,
    State(store): State<Store>,
    Path(project): Path<ProjectId>,
    Body(NewTask { title, column }): Body<NewTask>,
) -> Result<(StatusCode, Json<Task>), ApiError> {
    let mut projects = store.lock();
    let (task, update) = projects.create(project, &title, column)?;
    tell(&io, update)?;
    Ok((StatusCode::CREATED, Json(task)))
}

async fn edit(
    io: Io<Board>,
    State(store): State<Store>,
    Path(id): Path<TaskId>,
    Body(edit): Body<Edit>,
) -> Result<Json<Task>, ApiError> {
    let mut projects = store.lock();
    let (task, updates) = projects.edit(id, &edit)?;
    for update in updates {
        tell(&io, update)?;
    }
    Ok(Json(task))
}

async fn delete(
    io: Io<Board>,
    State(store): State<Store>,
    Path(id): Path<TaskId>,
) -> Result<StatusCode, ApiError> {
    let mut projects = store.lock();
    let update = projects.delete(id)?;
    tell(&io, update)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells every window that shows the project.
fn tell(io: &Io<Board>, update: ProjectUpdated) -> Result<(), ApiError> {
    io.to(Room::project(update.project)).emit(update)?;
    Ok(())
}
