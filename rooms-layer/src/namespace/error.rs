use crate::wire::{
    Value,
    value::{ValueError, to_value},
};
use serde::Serialize;

/// A refused connection: what the client reads in `connect_error` (`err.message`, `err.data`).
#[derive(Debug, Clone, PartialEq)]
pub struct Refuse {
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Refuse {
    /// Refuses with a message: `err.message` in the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
        }
    }

    /// Adds details: `err.data` in the client.
    ///
    /// # Errors
    ///
    /// Fails when the `Serialize` implementation of `data` does.
    pub fn with_data<T: Serialize>(mut self, data: &T) -> Result<Self, ValueError> {
        self.data = Some(to_value(data)?);
        Ok(self)
    }
}

/// The client is not told what went wrong inside.
impl From<ValueError> for Refuse {
    fn from(error: ValueError) -> Self {
        tracing::error!(%error, "the details of a refusal can't be encoded");
        Self::new("internal error")
    }
}
