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
    /// The message has words of the client in it, which are not logged.
    pub(super) quotes: bool,
}

impl Refuse {
    /// Refuses with a message: `err.message` in the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            data: None,
            quotes: false,
        }
    }

    /// Refuses with a message that quotes what the client sent.
    pub(crate) fn quoting(message: String) -> Self {
        Self {
            quotes: true,
            ..Self::new(message)
        }
    }

    /// The reason, for the log.
    pub(super) fn logged(&self) -> &str {
        match self.quotes {
            true => "what it sent as `auth` has another form",
            false => &self.message,
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
