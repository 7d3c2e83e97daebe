use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll},
};

/// What an engine says of something it was given. It happens whether or not this is awaited; awaiting it waits until the
/// engine has it.
///
/// # Cancel safety
///
/// Dropping it takes nothing back.
#[must_use = "awaiting it waits for the engine; use `let _ =` where that does not matter"]
pub struct Confirmed(Option<Confirmation>);

type Confirmation = Pin<Box<dyn Future<Output = Result<(), AdapterError>> + Send>>;

impl Confirmed {
    /// There is nothing to wait for.
    pub const fn now() -> Self {
        Self(None)
    }

    /// Confirmed when the future says so. It is polled only by those who wait.
    pub fn when(future: impl Future<Output = Result<(), AdapterError>> + Send + 'static) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl Future for Confirmed {
    type Output = Result<(), AdapterError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmed")
            .field("waits", &self.0.is_some())
            .finish()
    }
}

/// The engine behind an adapter did not take what it was given.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the adapter's engine is out of reach: {cause}")]
pub struct AdapterError {
    cause: String,
}

impl AdapterError {
    /// Makes one from what the engine said.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self {
            cause: cause.to_string(),
        }
    }
}

/// A change that is done on this server when it is returned.
///
/// Awaiting it waits until the engine behind the adapter has confirmed it; with [`InMemory`](crate::InMemory) there
/// is nothing to wait for.
#[derive(Debug)]
pub struct Changed {
    pub(crate) confirmed: Confirmed,
}

impl IntoFuture for Changed {
    type Output = Result<(), AdapterError>;
    type IntoFuture = Confirmed;

    fn into_future(self) -> Confirmed {
        self.confirmed
    }
}
