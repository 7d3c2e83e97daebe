//! The tasks of all projects, in memory: what a database is in a larger application.

use crate::{contract::ProjectUpdated, error::ApiError};
use rooms_layer::{
    RoomKey,
    export::schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

const TITLE_LENGTH: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, RoomKey, JsonSchema)]
pub struct ProjectId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TaskId(pub u64);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    #[default]
    Todo,
    Doing,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    pub id: TaskId,
    pub title: String,
    pub column: Column,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TaskChange {
    Created(Task),
    Renamed {
        id: TaskId,
        title: String,
    },
    /// `position` is the final one, counted among the other tasks of the column.
    Moved {
        id: TaskId,
        column: Column,
        position: usize,
    },
    Deleted {
        id: TaskId,
    },
}

/// What to change of a task; what is absent stays as it is.
#[derive(Debug, Default, Deserialize)]
pub struct Edit {
    pub title: Option<String>,
    pub column: Option<Column>,
    pub position: Option<usize>,
}

/// All projects, shared by all handlers.
#[derive(Debug, Clone, Default)]
pub struct Store(Arc<Mutex<Projects>>);

impl Store {
    /// A store with a few tasks in project 1.
    pub fn with_samples() -> Self {
        let store = Self::default();
        for (title, column) in [
            ("Choose the paint", Column::Done),
            ("Paint the door", Column::Doing),
            ("Hang the lamps", Column::Todo),
            ("Invite the neighbours", Column::Todo),
        ] {
            let created = store.lock().create(ProjectId(1), title, column);
            created.expect("the titles are neither empty nor long");
        }
        store
    }

    pub fn lock(&self) -> MutexGuard<'_, Projects> {
        self.0
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

/// All projects. Each change raises the version of its project by one, and returns what to tell the project's windows.
#[derive(Debug, Default)]
pub struct Projects {
    projects: HashMap<ProjectId, Project>,
    project_of: HashMap<TaskId, ProjectId>,
    last_task: u64,
}

#[derive(Debug, Default)]
struct Project {
    version: u64,
    /// In board order: the order within a column is the order within this list.
    tasks: Vec<Task>,
}

impl Projects {
    /// The tasks of a project and their version. Every project exists; one that nobody has touched is empty.
    pub fn snapshot(&self, project: ProjectId) -> (Vec<Task>, u64) {
        let project = self.projects.get(&project);
        project.map_or((Vec::new(), 0), |project| {
            (project.tasks.clone(), project.version)
        })
    }

    /// Adds a task at the end of its column.
    ///
    /// # Errors
    ///
    /// Fails when the title will not do.
    pub fn create(
        &mut self,
        project_id: ProjectId,
        title: &str,
        column: Column,
    ) -> Result<(Task, ProjectUpdated), ApiError> {
        let title = checked_title(title)?;
        self.last_task += 1;
        let id = TaskId(self.last_task);
        let task = Task { id, title, column };
        self.project_of.insert(id, project_id);
        let project = self.projects.entry(project_id).or_default();
        project.tasks.push(task.clone());
        let update = project.updated(project_id, TaskChange::Created(task.clone()));
        Ok((task, update))
    }

    /// Renames and moves a task. There is nothing to tell if all was so already.
    ///
    /// # Errors
    ///
    /// Fails when there is no such task, or when the title will not do.
    pub fn edit(
        &mut self,
        id: TaskId,
        edit: &Edit,
    ) -> Result<(Task, Vec<ProjectUpdated>), ApiError> {
        let (project_id, project) = self.project_of(id)?;
        let title = edit.title.as_deref().map(checked_title).transpose()?;

        let mut updates = Vec::new();
        let renamed = title.and_then(|title| project.rename(id, title));
        let moved = project.relocate(id, edit.column, edit.position);
        for change in renamed.into_iter().chain(moved) {
            updates.push(project.updated(project_id, change));
        }
        Ok((project.tasks[project.index(id)].clone(), updates))
    }

    /// # Errors
    ///
    /// Fails when there is no such task.
    pub fn delete(&mut self, id: TaskId) -> Result<ProjectUpdated, ApiError> {
        let (project_id, project) = self.project_of(id)?;
        let index = project.index(id);
        project.tasks.remove(index);
        let update = project.updated(project_id, TaskChange::Deleted { id });
        self.project_of.remove(&id);
        Ok(update)
    }

    fn project_of(&mut self, task: TaskId) -> Result<(ProjectId, &mut Project), ApiError> {
        let id = self.project_of.get(&task);
        let id = *id.ok_or_else(|| ApiError::not_found("no such task"))?;
        let project = self.projects.get_mut(&id);
        Ok((
            id,
            project.expect("a task is in the project that it was created in"),
        ))
    }
}

impl Project {
    fn updated(&mut self, project: ProjectId, change: TaskChange) -> ProjectUpdated {
        self.version += 1;
        ProjectUpdated {
            project,
            version: self.version,
            change,
        }
    }

    fn rename(&mut self, id: TaskId, title: String) -> Option<TaskChange> {
        let index = self.index(id);
        let task = &mut self.tasks[index];
        if task.title == title {
            return None;
        }
        task.title.clone_from(&title);
        Some(TaskChange::Renamed { id, title })
    }

    fn relocate(
        &mut self,
        id: TaskId,
        column: Option<Column>,
        position: Option<usize>,
    ) -> Option<TaskChange> {
        let index = self.index(id);
        let old_column = self.tasks[index].column;
        let old_position = self
            .neighbours(id, old_column)
            .filter(|other| *other < index)
            .count();

        let column = column.unwrap_or(old_column);
        let end = self.neighbours(id, column).count();
        let stays = (column == old_column).then_some(old_position);
        let position = position.or(stays).unwrap_or(end).min(end);
        if (column, position) == (old_column, old_position) {
            return None;
        }

        let before = self.neighbours(id, column).nth(position);
        let mut task = self.tasks.remove(index);
        task.column = column;
        // What stood behind the task has moved up by one.
        let target = before.map(|before| before - usize::from(before > index));
        self.tasks.insert(target.unwrap_or(self.tasks.len()), task);
        Some(TaskChange::Moved {
            id,
            column,
            position,
        })
    }

    /// Where the other tasks of a column are.
    fn neighbours(&self, id: TaskId, column: Column) -> impl Iterator<Item = usize> {
        let tasks = self.tasks.iter().enumerate();
        tasks
            .filter(move |(_, task)| task.column == column && task.id != id)
            .map(|(index, _)| index)
    }

    fn index(&self, id: TaskId) -> usize {
        let index = self.tasks.iter().position(|task| task.id == id);
        index.expect("the caller has found the project of this task")
    }
}

fn checked_title(title: &str) -> Result<String, ApiError> {
    let title = title.trim();
    match (1..=TITLE_LENGTH).contains(&title.chars().count()) {
        true => Ok(title.to_owned()),
        false => Err(ApiError::invalid("a title has 1 to 200 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Column::{Doing, Todo};

    #[test]
    fn tasks_go_where_they_are_sent() {
        // Three tasks in `todo`, one in `doing`: 1 2 3 | 4.
        for (id, column, position, told, order) in [
            (1, None, None, None, [1, 2, 3, 4]),
            (1, Some(Todo), None, None, [1, 2, 3, 4]),
            (1, None, Some(0), None, [1, 2, 3, 4]),
            (3, None, Some(99), None, [1, 2, 3, 4]),
            (1, None, Some(1), Some((Todo, 1)), [2, 1, 3, 4]),
            (1, None, Some(99), Some((Todo, 2)), [2, 3, 1, 4]),
            (3, None, Some(0), Some((Todo, 0)), [3, 1, 2, 4]),
            (1, Some(Doing), None, Some((Doing, 1)), [2, 3, 4, 1]),
            (1, Some(Doing), Some(0), Some((Doing, 0)), [2, 3, 1, 4]),
            (4, Some(Todo), Some(1), Some((Todo, 1)), [1, 4, 2, 3]),
        ] {
            let mut projects = Projects::default();
            for column in [Todo, Todo, Todo, Doing] {
                let created = projects.create(ProjectId(1), "title", column);
                created.expect("the title is fine");
            }
            let edit = Edit {
                title: None,
                column,
                position,
            };
            let (_, updates) = projects.edit(TaskId(id), &edit).expect("the task exists");
            let changes: Vec<_> = updates.into_iter().map(|update| update.change).collect();
            let moved = told.map(|(column, position)| TaskChange::Moved {
                id: TaskId(id),
                column,
                position,
            });
            assert_eq!(changes, Vec::from_iter(moved), "{id} {edit:?}");

            // Only the order within a column counts.
            let (tasks, _) = projects.snapshot(ProjectId(1));
            let of = |column| tasks.iter().filter(move |task| task.column == column);
            let found: Vec<_> = of(Todo).chain(of(Doing)).map(|task| task.id.0).collect();
            assert_eq!(found, order, "{id} {edit:?}");
        }
    }

    #[test]
    fn a_version_belongs_to_each_change() {
        let mut projects = Projects::default();
        let (task, created) = projects
            .create(ProjectId(1), "a", Todo)
            .expect("the title is fine");
        let edit = Edit {
            title: Some("b".into()),
            column: Some(Doing),
            position: None,
        };
        let (_, updates) = projects.edit(task.id, &edit).expect("the task exists");
        let versions = updates.iter().map(|update| update.version);
        assert_eq!((created.version, Vec::from_iter(versions)), (1, vec![2, 3]));
        assert_eq!(projects.snapshot(ProjectId(1)).1, 3);
        assert_eq!(projects.snapshot(ProjectId(2)), (Vec::new(), 0));
    }
}
