//! What is wrong with how a server was put together.

use crate::rooms::MountError;

/// Everything that is wrong with how a [`RoomsLayer`](crate::RoomsLayer) was put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rooms layer can't start: {}", self.sentence())]
pub struct StartError {
    problems: Vec<StartProblem>,
}

/// One mistake in how a [`RoomsLayer`](crate::RoomsLayer) was put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartProblem {
    /// A namespace could not be mounted.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The configuration can't work.
    #[error("{0}")]
    Config(&'static str),
    /// Two handlers ask for one event.
    #[error(
        "event `{event}` of namespace `{namespace}` has two handlers: `{first}` and `{second}`"
    )]
    TwoHandlers {
        /// The event's name on the wire.
        event: &'static str,
        /// The type of the namespace.
        namespace: &'static str,
        /// The handler registered first.
        first: &'static str,
        /// The handler registered second.
        second: &'static str,
    },
}

impl StartError {
    /// `Ok` when there is nothing to complain about.
    pub(crate) fn check(problems: Vec<StartProblem>) -> Result<(), StartError> {
        match problems.is_empty() {
            true => Ok(()),
            false => Err(StartError { problems }),
        }
    }

    /// The mistakes, in the order in which they were made.
    pub fn problems(&self) -> &[StartProblem] {
        &self.problems
    }

    fn sentence(&self) -> String {
        let each: Vec<_> = self.problems.iter().map(ToString::to_string).collect();
        each.join("; ")
    }
}
