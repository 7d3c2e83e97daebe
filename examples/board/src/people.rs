//! Who is here.

use crate::{error::ApiError, store::ProjectId};
use rooms_layer::{
    SocketId,
    export::schemars::{self, JsonSchema},
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard},
};

/// White text is readable on each of them.
const PALETTE: [&str; 8] = [
    "#b4533c", "#2f6f9f", "#3f7d4e", "#8a5a9e", "#a0662b", "#b0476f", "#4a6fb5", "#2e7d7a",
];
const NAME_LENGTH: usize = 40;

/// What the server knows of a window for as long as it is connected.
#[derive(Debug, Clone)]
pub struct Session {
    pub name: String,
    pub color: &'static str,
}

impl Session {
    /// # Errors
    ///
    /// Fails when the name will not do.
    pub fn new(name: &str) -> Result<Self, ApiError> {
        let name = name.trim();
        if !(1..=NAME_LENGTH).contains(&name.chars().count()) {
            return Err(ApiError::invalid("a name has 1 to 40 characters"));
        }
        Ok(Self {
            name: name.to_owned(),
            color: color_of(name),
        })
    }
}

/// The same for every window of one person, with nothing to remember.
fn color_of(name: &str) -> &'static str {
    let hash = name.bytes().fold(0, |hash: usize, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    PALETTE[hash % PALETTE.len()]
}

/// One window of somebody, as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    pub id: SocketId,
    pub name: String,
    pub color: Cow<'static, str>,
    /// The server that the window is connected to, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<u8>,
}

/// The number of this server, where there are several.
#[derive(Debug, Clone, Copy, Default)]
pub struct Server(pub Option<u8>);

/// Everybody who shows a project, shared by all handlers.
#[derive(Debug, Clone, Default)]
pub struct People(Arc<Mutex<Present>>);

impl People {
    pub fn lock(&self) -> MutexGuard<'_, Present> {
        self.0
            .lock()
            .expect("nothing panics while it holds the lock")
    }
}

/// Everybody who shows a project, oldest first.
#[derive(Debug, Default)]
pub struct Present(Vec<(ProjectId, Person)>);

impl Present {
    pub fn enter(&mut self, project: ProjectId, person: Person) {
        self.0.push((project, person));
    }

    /// Returns the project that the window showed.
    pub fn leave(&mut self, id: &SocketId) -> Option<ProjectId> {
        let index = self.0.iter().position(|(_, person)| person.id == *id)?;
        let (project, _) = self.0.remove(index);
        Some(project)
    }

    pub fn contains(&self, id: &SocketId) -> bool {
        self.0.iter().any(|(_, person)| person.id == *id)
    }

    /// Who shows a project.
    pub fn of(&self, project: ProjectId) -> Vec<Person> {
        let people = self.0.iter().filter(|(shown, _)| *shown == project);
        people.map(|(_, person)| person.clone()).collect()
    }
}
