use std::{fmt, sync::Arc};

/// How an adapter's way to the other servers is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// What is published arrives.
    Up,
    /// What is published may be lost, and what others publish may be missed. The adapter is trying to get it back.
    Down {
        /// What the engine or the network said.
        cause: Arc<str>,
    },
    /// The server was closed.
    Closed,
}

impl Health {
    /// Tells whether what is published arrives.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::Down { cause } => write!(f, "down: {cause}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}
