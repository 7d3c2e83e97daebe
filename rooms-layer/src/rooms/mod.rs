//! Who is where.
#![allow(missing_docs, clippy::todo, unused_variables)]
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(Arc<str>);
impl SocketId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
/// `rooms: None` is everybody, `Some(empty)` nobody.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub rooms: Option<Vec<Box<str>>>,
    pub except: Vec<Box<str>>,
}
